package soak

// disordered are those first deliveries of a lane that came after one they had to come before.
//
// lorry promises the order in which it received the frames. Of each stream it received the first so many frames, and
// those of one stream before those of the next; a frame that it has already is dropped. So what is delivered next must
// be the first frame of the present stream that has not been delivered, or, if no more of that stream was received, of
// a later one. The earliest stream that fits is the right one: it leaves open what every later one does.
func disordered(e *evidence, firsts []int, lane func(n uint32) bool) (late []int) {
	r := newReading(e, lane)
	for _, i := range firsts {
		if n := e.publishes[i].n; lane(n) && !r.deliver(n) {
			late = append(late, i)
		}
	}
	return late
}

// reading is how far the streams have been delivered.
type reading struct {
	streams   [][]uint32 // numbers of the lane
	present   int        // stream
	next      []int      // by stream
	delivered map[uint32]bool
	overtaken map[uint32]bool
}

func newReading(e *evidence, lane func(n uint32) bool) *reading {
	r := &reading{next: make([]int, len(e.streams)), delivered: map[uint32]bool{}, overtaken: map[uint32]bool{}}
	for _, stream := range e.streams {
		var numbers []uint32
		for _, s := range stream {
			if s.n > 0 && lane(s.n) {
				numbers = append(numbers, s.n)
			}
		}
		r.streams = append(r.streams, numbers)
	}
	return r
}

// deliver takes the next message. It reports false for one that others have overtaken.
func (r *reading) deliver(n uint32) bool {
	defer func() { r.delivered[n] = true }()
	if r.overtaken[n] {
		return false
	}
	for k := r.present; k < len(r.streams); k++ {
		if first, left := r.first(k); left && first == n {
			r.present = k
			return true
		}
	}
	// It came too early: whatever it had to wait for is late when it comes.
	for k := r.present; k < len(r.streams); k++ {
		for at := r.next[k]; at < len(r.streams[k]); at++ {
			if r.streams[k][at] != n {
				continue
			}
			for _, other := range r.streams[k][r.next[k]:at] {
				if !r.delivered[other] {
					r.overtaken[other] = true
				}
			}
			r.present, r.next[k] = k, at
			return true
		}
	}
	return false // of a stream that had ended when its successors were read
}

// first is the first frame of a stream that has not been delivered.
func (r *reading) first(stream int) (n uint32, left bool) {
	numbers := r.streams[stream]
	for r.next[stream] < len(numbers) && (r.delivered[numbers[r.next[stream]]] || r.overtaken[numbers[r.next[stream]]]) {
		r.next[stream]++
	}
	if r.next[stream] == len(numbers) {
		return 0, false
	}
	return numbers[r.next[stream]], true
}
