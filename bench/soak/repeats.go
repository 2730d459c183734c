package soak

// repeats is what came more than once. A repeat is allowed after a session's end, for what lorry may not have known to be
// acknowledged, at most a window of it; after a crash, besides, for what it was told of since it last wrote its cursor;
// and where the Network Server sent a frame twice.
type repeats struct {
	repeated    int   // publishes of a message that was published before
	sessions    int   // of these, for a session's end
	crashed     int   // for a crash
	doubled     int   // because the Network Server sent them twice
	bound       int   // how many were allowed
	unexplained []int // places of those for which there is no reason
	excessive   []int // links for whose end more than a window is repeated
}

// judgeRepeats finds a reason for each repeat.
func judgeRepeats(e *evidence) repeats {
	j := newRepeatJudge(e)
	for i := range e.publishes {
		if e.publishes[i].n > 0 {
			j.judge(i)
		}
	}
	j.bound = j.allowed()
	return j.repeats
}

type repeatJudge struct {
	*evidence
	repeats
	last      map[uint32][]int // by message: the last publish of each of its copies so far
	onLink    map[copies]int   // how many so far
	passed    map[int]int      // by link: how many PUBACKs went on to lorry
	twice     map[uint32]int   // by message: how often the Network Server repeated it on request
	sentTwice int
	windowed  map[int]int // by link: repeats for its end, whenever they come: what goes last comes sessions later
}

// copies are those of one message that are published on one link.
type copies struct {
	n    uint32
	link int
}

func newRepeatJudge(e *evidence) *repeatJudge {
	j := &repeatJudge{
		evidence: e, last: map[uint32][]int{}, onLink: map[copies]int{}, passed: map[int]int{}, twice: map[uint32]int{},
		windowed: map[int]int{},
	}
	for i := range e.publishes {
		p := &e.publishes[i]
		j.passed[p.link] = max(j.passed[p.link], p.place)
	}
	for _, stream := range e.streams {
		for _, s := range stream {
			if s.repeat {
				j.twice[s.n]++
				j.sentTwice++
			}
		}
	}
	return j
}

// judge takes the next publish. The Network Server's copies of a message are stored, and may be repeated, like any other
// frames: the first on a link repeats the first, the second the second.
func (j *repeatJudge) judge(i int) {
	p := &j.publishes[i]
	key := copies{p.n, p.link}
	number := j.onLink[key]
	j.onLink[key]++
	last := j.last[p.n]
	if len(last) > 0 {
		j.repeated++
	}
	switch {
	case number < len(last): // the others were on other links
		j.explain(i, &j.publishes[last[number]])
		last[number] = i
		return
	case number == 0:
	case number <= j.twice[p.n]:
		j.doubled++
	default:
		j.unexplained = append(j.unexplained, i)
	}
	j.last[p.n] = append(last, i)
}

// explain finds the reason for a repeat of what was published on another link.
func (j *repeatJudge) explain(i int, before *publish) {
	p := &j.publishes[i]
	switch {
	case j.forgotten(before, p):
		j.crashed++
	case p.link < before.link, j.unsettled(before): // the former: it was stuck in a wire
		j.sessions++
		if j.windowed[before.link]++; j.windowed[before.link] == j.maxInflight+1 {
			j.excessive = append(j.excessive, before.link)
		}
	default:
		j.unexplained = append(j.unexplained, i)
	}
}

// unsettled tells whether lorry may not have known of a publish's PUBACK when the session ended, or known it above the
// acknowledged floor only, which a new process does not know: none was passed on, or it was among the last. PUBACKs that
// were passed on are read in order, so at most a window of them was not read; and of those read, one that is above the
// floor has at most two windows behind it.
func (j *repeatJudge) unsettled(p *publish) bool {
	return p.passed == 0 || p.place > j.passed[p.link]-3*j.maxInflight
}

// forgotten tells whether a crash came between, before the PUBACK was written down.
func (j *repeatJudge) forgotten(before, again *publish) bool {
	for _, c := range j.crashes {
		if before.passed > 0 && c.has(before.passed) && c.from <= again.at {
			return true
		}
	}
	return false
}

// allowed adds up what may come more than once.
func (j *repeatJudge) allowed() int {
	links := map[int]bool{}
	for i := range j.publishes {
		links[j.publishes[i].link] = true
	}
	n := j.maxInflight*max(0, len(links)-1) + j.sentTwice
	for _, c := range j.crashes {
		for i := range j.publishes {
			if p := &j.publishes[i]; p.passed > 0 && c.has(p.passed) {
				n++
			}
		}
	}
	return n
}
