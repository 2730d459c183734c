package soak

// verdict is what came of one connection. Lists are of places in evidence.publishes, but for lost.
type verdict struct {
	owed, delivered int
	lost            []uint32 // numbers of messages
	damaged         []int    // bytes, topic, QoS or retain flag are not as they have to be
	foreign         []int    // never sent
	disordered      []int    // first deliveries after one that was sent later
	overfull        bool     // more publishes were without PUBACK than may be
	requests        int      // downlink_requests among first deliveries out of order: allowed, and counted
	repeats
}

// holds tells whether every promise was kept.
func (v *verdict) holds() bool {
	return !v.overfull && len(v.lost)+len(v.damaged)+len(v.foreign)+len(v.disordered)+len(v.unexplained)+len(v.excessive) == 0
}

// judge looks at every frame.
func judge(e *evidence) verdict {
	v := verdict{repeats: judgeRepeats(e), overfull: e.inFlight > e.maxInflight}
	acked := make([]bool, len(e.messages)+1)
	for i, p := range e.publishes {
		switch {
		case p.n == 0:
			v.foreign = append(v.foreign, i)
		case p.damage != "":
			v.damaged = append(v.damaged, i)
		}
		if p.acked > 0 {
			acked[p.n] = true
		}
	}
	for i := range e.messages {
		if !e.messages[i].owed {
			continue
		}
		v.owed++
		if n := uint32(i + 1); acked[n] {
			v.delivered++
		} else {
			v.lost = append(v.lost, n)
		}
	}
	firsts := firstDeliveries(e)
	v.disordered = disordered(e, firsts, func(n uint32) bool { return !e.isRequest(n) })
	v.requests = len(disordered(e, firsts, e.isRequest))
	return v
}

// firstDeliveries are the publishes that brought the broker a message for the first time. What a link's publishes are
// known to have come to is the last of them that was acknowledged: TCP brings them in order, and the broker takes them
// in order (MQTT 3.1.1 §4.6).
func firstDeliveries(e *evidence) (firsts []int) {
	taken := map[int]int{} // by link: the last one acknowledged
	for i, p := range e.publishes {
		if p.acked > 0 {
			taken[p.link] = i
		}
	}
	seen := make([]bool, len(e.messages)+1)
	for i, p := range e.publishes {
		if last, known := taken[p.link]; known && i <= last && p.n > 0 && !seen[p.n] {
			seen[p.n] = true
			firsts = append(firsts, i)
		}
	}
	return firsts
}
