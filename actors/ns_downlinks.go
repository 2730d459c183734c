package actors

import (
	"context"
	"time"

	"github.com/lorry-mqtt/lorry/messages"
)

// maxWaitingDownlinks bounds what waits for the Network Server to come back.
const maxWaitingDownlinks = 1000

// forward takes a downlink for the Network Server. It goes out at once if there is a session and waits for one
// otherwise, for a short time: the Network Server does not buffer downlinks, and the device's receive window
// does not wait.
func (r *nsReader) forward(m *messages.ForwardDownlink) {
	if r.draining {
		r.discard(1, discardShutdown)
		return
	}
	if len(r.downlinks) == maxWaitingDownlinks {
		r.discard(1, discardTooMany)
		return
	}
	r.downlinks = append(r.downlinks, m)
	r.write()
	r.armExpiry()
}

// write sends the oldest waiting downlink, in a goroutine since the network may not take it at once.
func (r *nsReader) write() {
	if r.writing || len(r.downlinks) == 0 || r.stream.session == nil {
		return
	}
	r.writing = true
	first, session := r.downlinks[0], r.stream.session
	r.life.run(r.stream.ctx, func(ctx context.Context) {
		r.life.tell(downlinkWritten{first, session.Write(ctx, first.Payload)})
	})
}

// written books a downlink that was sent, even if its session has ended since. One that failed was not sent as
// a whole, so the Network Server has not seen it, and it waits for the next session.
func (r *nsReader) written(m downlinkWritten) {
	if len(r.downlinks) == 0 || r.downlinks[0] != m.downlink || m.err != nil {
		return
	}
	r.writing = false
	r.counters.DownlinksForwarded.Add(1)
	r.counters.DownlinkLatency.Observe(time.Since(m.downlink.ArrivedAt))
	r.downlinks[0] = nil
	r.downlinks = r.downlinks[1:]
	r.write()
}

// armExpiry sees to it that the oldest waiting downlink is looked at when its time is up.
func (r *nsReader) armExpiry() {
	if first := r.waiting(); r.expiry == nil && len(r.downlinks) > first {
		r.expiry = r.life.after(time.Until(r.expires(first)), downlinksExpired{})
	}
}

// waiting is the index of the first downlink that is not being written: one that is waits no longer.
func (r *nsReader) waiting() int {
	if r.writing {
		return 1
	}
	return 0
}

func (r *nsReader) expires(i int) time.Time {
	return r.downlinks[i].ArrivedAt.Add(time.Duration(r.spec.Downlink.MaxWait))
}

// expire drops the downlinks that have waited too long.
func (r *nsReader) expire() {
	r.expiry = nil
	first := r.waiting()
	n := first
	for n < len(r.downlinks) && !time.Now().Before(r.expires(n)) {
		n++
	}
	if dropped := n - first; dropped > 0 {
		r.downlinks = append(r.downlinks[:first:first], r.downlinks[n:]...)
		r.discard(dropped, discardNSAway)
	}
	r.armExpiry()
}

func (r *nsReader) discardAll(reason string) {
	r.discard(len(r.downlinks), reason)
	r.downlinks = nil
}

func (r *nsReader) discard(n int, reason string) {
	if n == 0 {
		return
	}
	r.counters.DownlinksDiscarded.Add(reason, uint64(n))
	r.watched.stir()
	r.log.Warn().Str("actor", nsReaderName).Int("downlinks", n).Str("reason", reason).
		Dur("waited", time.Duration(r.spec.Downlink.MaxWait)).Msg("downlinks dropped before the Network Server could take them")
}
