package simulator

import (
	"cmp"
	"slices"
	"time"
)

// history is what the NS remembers: facts, from which any view is rendered again.
type history struct {
	cfg   History
	long  []*message // uplink and downlink, in the order of generation
	short []*message // every other type
}

func (h *history) add(m *message) {
	if m.kept() {
		h.long = append(h.long, m)
	} else {
		h.short = append(h.short, m)
	}
	h.expire(m.at)
	for len(h.long)+len(h.short) > h.cfg.MaxMessages {
		if len(h.short) == 0 || len(h.long) > 0 && h.long[0].n < h.short[0].n {
			h.long = shift(h.long)
		} else {
			h.short = shift(h.short)
		}
	}
}

func (h *history) expire(now time.Time) {
	for len(h.long) > 0 && now.Sub(h.long[0].at) > max(h.cfg.Archive, h.cfg.Retention) {
		h.long = shift(h.long)
	}
	for len(h.short) > 0 && now.Sub(h.short[0].at) > h.cfg.RetentionOther {
		h.short = shift(h.short)
	}
}

// shift drops the oldest. append moves what is left to a new array from time to time, which frees the dropped ones.
func shift(list []*message) []*message {
	list[0] = nil
	return list[1:]
}

// replay lists the frames that a client is owed from history, in the order of their generation. With both
// from_unixtime and last_messages it is owed the last N of those since T.
func (h *history) replay(q *query, gatewayOf func(*packet, int) string, now time.Time) []item {
	var owed []item
	for _, m := range h.merged() {
		age, retention := now.Sub(m.at), h.cfg.RetentionOther
		if m.kept() {
			retention = h.cfg.Retention
		}
		if age > retention {
			continue
		}
		for _, it := range expand(m, q, gatewayOf) {
			if m.timeOf(it.copy) >= q.from {
				it.history = true
				owed = append(owed, it)
			}
		}
	}
	if q.last > 0 && len(owed) > q.last {
		owed = owed[len(owed)-q.last:]
	}
	return owed
}

// merged is both lists in the order of generation.
func (h *history) merged() []*message {
	all := slices.Concat(h.long, h.short)
	slices.SortFunc(all, func(a, b *message) int { return cmp.Compare(a.n, b.n) })
	return all
}

// item is one frame that waits to be sent: a copy of a message, or raw bytes of a test's choosing.
type item struct {
	m       *message
	copy    int
	history bool
	repeat  bool
	raw     []byte
}

// expand lists the frames that a message makes for a query: none when it does not match.
func expand(m *message, q *query, gatewayOf func(*packet, int) string) []item {
	if !q.sieve.passes(m) {
		return nil
	}
	var out []item
	for c := range m.frames(q.duplicate) {
		gateway := ""
		if m.hasGateway() {
			gateway = gatewayOf(m.packet, c)
		}
		if q.sieve.hears(gateway) {
			out = append(out, item{m: m, copy: c})
		}
	}
	return out
}
