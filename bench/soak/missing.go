package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// shown is how many failures of a kind are explained.
const shown = 10

// explain tells of each kind of failure the first ones, and what is known of them.
func (s *stage) explain(p *printer, r *route, e *evidence, v *verdict) {
	if v.holds() {
		return
	}
	p.printf("\n## %s\n", r.id)
	if v.overfull {
		p.printf("\n%d publishes were without PUBACK at one time.\n", e.inFlight)
	}
	if len(v.lost) > 0 {
		p.printf("\nLost, %d, the first of them:\n\n", len(v.lost))
		for _, n := range v.lost[:min(shown, len(v.lost))] {
			p.printf("- %s\n", s.story(e, n))
		}
	}
	for _, kind := range []struct {
		name   string
		places []int
	}{
		{"Out of order", v.disordered},
		{"Damaged", v.damaged},
		{"Foreign", v.foreign},
		{"Repeated without a reason", v.unexplained},
	} {
		if len(kind.places) == 0 {
			continue
		}
		p.printf("\n%s, %d, the first of them:\n\n", kind.name, len(kind.places))
		for _, i := range kind.places[:min(shown, len(kind.places))] {
			p.printf("- %s\n", s.publishStory(e, i))
		}
	}
	if len(v.excessive) > 0 {
		p.printf("\nSessions for whose end more than a window is repeated: %v\n", v.excessive)
	}
}

func (s *stage) publishStory(e *evidence, i int) string {
	out := &e.publishes[i]
	text := fmt.Sprintf("at %s on link %d (then on: %s)", clock(out.at), out.link, s.timeline.at(out.at))
	if out.damage != "" {
		text += ", it " + out.damage
	}
	if out.content != nil {
		text += fmt.Sprintf(": %.300q", out.content)
	}
	if out.n > 0 {
		text += ": " + s.story(e, out.n)
	}
	return text
}

// story is what happened to a message.
func (s *stage) story(e *evidence, n uint32) string {
	m := e.message(n)
	var b strings.Builder
	fmt.Fprintf(&b, "message %d, %s of %s (then on: %s)", n, m.kind, clock(m.at), s.timeline.at(m.at))
	for k, stream := range e.streams {
		for _, f := range stream {
			if f.n != n {
				continue
			}
			way := "live"
			if f.history {
				way = "replayed"
			}
			if f.repeat {
				way += " twice"
			}
			fmt.Fprintf(&b, "; sent at %s %s on stream %d", clock(f.at), way, k+1)
		}
	}
	for i := range e.publishes {
		if out := &e.publishes[i]; out.n == n {
			fmt.Fprintf(&b, "; published at %s on link %d", clock(out.at), out.link)
			for _, when := range []struct {
				what string
				at   time.Duration
			}{{"acknowledged", out.acked}, {"lorry told", out.passed}} {
				if when.at > 0 {
					fmt.Fprintf(&b, ", %s at %s", when.what, clock(when.at))
				}
			}
		}
	}
	if slices.ContainsFunc(e.publishes, func(out publish) bool { return out.n == n }) {
		return b.String()
	}
	return b.String() + "; never published"
}

func clock(at time.Duration) string { return fmt.Sprintf("%.3fs", at.Seconds()) }
