package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// keepAlive keeps the promise of a CONNECT: no silence longer than that towards the broker (MQTT 3.1.1 §3.1.2.10). It is
// the wire's, and guarded by its lock.
//
// paho has one of its own, which looks every five seconds whether a PINGREQ is due. Of ten thousand idle sessions that
// was a quarter of all CPU time, and a goroutine each. It is turned off, by a keep alive of 0, which paho then also puts
// into its CONNECT: there the true one takes its place.
type keepAlive struct {
	interval time.Duration
	timeout  time.Duration // for a PINGRESP
	timer    *time.Timer
	written  time.Time // when the last packet was
	asked    bool      // a PINGREQ awaits its PINGRESP
}

// pingreq is all of the packet (MQTT 3.1.1 §3.12).
var pingreq = []byte{0xc0, 0}

// keepAlive begins to send PINGREQs, and to break the wire when one is not answered.
func (w *wire) keepAlive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive.timer = time.AfterFunc(w.alive.interval, w.ping)
}

// ping sends a PINGREQ if it is time, or ends the wire if the last one was not answered.
func (w *wire) ping() {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := &w.alive
	silent := time.Since(a.written)
	switch {
	case w.end != nil:
	case a.asked:
		w.breakFor(fmt.Errorf("%w within %v", ErrKeepAlive, a.timeout))
	case silent < a.interval:
		a.timer.Reset(a.interval - silent)
	default:
		w.put(func(pending []byte) []byte { return append(pending, pingreq...) })
		a.asked = true
		a.timer.Reset(a.timeout)
	}
}

// pinged takes note of a PINGRESP.
func (w *wire) pinged() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := &w.alive; a.asked && w.end == nil {
		a.asked = false
		a.timer.Reset(max(0, a.interval-time.Since(a.written)))
	}
}

// rest stops the timer.
func (a *keepAlive) rest() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// setKeepAlive writes the keep alive, in whole seconds, into the first packet of a session, which is a CONNECT of MQTT
// 3.1.1 (§3.1.2: behind the fixed header, the protocol's name and level, and the flags).
func setKeepAlive(connect []byte, d time.Duration) {
	const name = "\x00\x04MQTT\x04"
	if at := bytes.Index(connect[:min(len(connect), len(name)+5)], []byte(name)); at >= 0 && len(connect) >= at+len(name)+3 {
		binary.BigEndian.PutUint16(connect[at+len(name)+1:], uint16(d/time.Second))
	}
}
