package window_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/window"
)

// model is the reference that a window is compared with: it keeps all frames for ever, in plain maps.
type model struct {
	limit   int
	w       *window.Window
	now     time.Time
	next    uint64 // whose turn it is
	settled map[uint64]bool
	sent    map[uint64]time.Time
	inTurn  []uint64 // added, above the floor
	ahead   []uint64 // added ahead of their turn, not acknowledged
}

func (m *model) floor() (f uint64) {
	for f+1 < m.next && m.settled[f+1] { // a settled frame counts once its turn has come
		f++
	}
	return f
}

func (m *model) free() int { return m.limit - len(m.inTurn) - len(m.ahead) }

// passed drops what the floor has passed.
func (m *model) passed() {
	for len(m.inTurn) > 0 && m.inTurn[0] <= m.floor() {
		m.inTurn = m.inTurn[1:]
	}
}

func (m *model) waiting() []uint64 {
	all := slices.Clone(m.ahead)
	for _, n := range m.inTurn {
		if !m.settled[n] {
			all = append(all, n)
		}
	}
	return all
}

func (m *model) add(t *rapid.T) {
	overtaken := slices.Index(m.ahead, m.next)
	if overtaken < 0 && m.free() == 0 {
		t.Skip("full")
	}
	if got := m.w.Add(m.next); got != (!m.settled[m.next] && overtaken < 0) {
		t.Fatalf("frame %d: publish %v", m.next, got)
	}
	if overtaken >= 0 {
		m.ahead = slices.Delete(m.ahead, overtaken, overtaken+1)
	}
	m.inTurn = append(m.inTurn, m.next)
	m.next++
	m.passed()
}

func (m *model) addAhead(t *rapid.T) {
	n := rapid.Uint64Range(1, m.next+20).Draw(t, "ahead")
	want := n >= m.next && m.free() > 0 && !m.settled[n] && !slices.Contains(m.ahead, n)
	if got := m.w.AddAhead(n); got != want {
		t.Fatalf("frame %d ahead: publish %v, want %v", n, got, want)
	}
	if want {
		m.ahead = append(m.ahead, n)
	}
}

func (m *model) settle(t *rapid.T) {
	n := rapid.Uint64Range(1, m.next+20).Draw(t, "settled")
	if slices.Contains(m.ahead, n) {
		t.Skip("on its way")
	}
	m.w.Settle(n)
	if n >= m.next {
		m.settled[n] = true
	}
}

func (m *model) send(*rapid.T) {
	m.now = m.now.Add(time.Millisecond)
	for _, n := range slices.Concat(m.ahead, m.inTurn) {
		if m.sent[n].IsZero() {
			m.sent[n] = m.now
			m.w.Sent(n, m.now)
			return
		}
	}
}

func (m *model) acknowledge(t *rapid.T) {
	n := rapid.Uint64Range(1, m.next+20).Draw(t, "number")
	awaited := slices.Contains(m.waiting(), n)
	sentAt, got := m.w.Acknowledge(n)
	if got != awaited || got && !sentAt.Equal(m.sent[n]) {
		t.Fatalf("PUBACK of %d awaited: %v since %v, want %v since %v", n, got, sentAt, awaited, m.sent[n])
	}
	if awaited {
		m.settled[n] = true
		m.ahead = slices.DeleteFunc(m.ahead, func(a uint64) bool { return a == n })
	}
	m.passed()
}

// session begins another one.
func (m *model) session(*rapid.T) {
	m.w.Restart()
	m.inTurn, m.ahead, m.next, m.sent = nil, nil, m.w.Floor()+1, map[uint64]time.Time{}
}

// process has another window go on from what is left of this one.
func (m *model) process(t *rapid.T) {
	settled := m.w.Settled()
	var want []uint64
	for _, n := range slices.Sorted(maps.Keys(m.settled)) {
		if n > m.floor() {
			want = append(want, n)
		}
	}
	if !slices.Equal(settled, want) {
		t.Fatalf("settled %v, want %v", settled, want)
	}
	m.w = window.New(m.limit, second, m.w.Floor(), settled...)
	m.session(t)
}

func (m *model) check(t *rapid.T) {
	if m.w.Floor() != m.floor() {
		t.Fatalf("floor %d, want %d", m.w.Floor(), m.floor())
	}
	if m.w.InFlight() != len(m.waiting()) || m.w.Free() != m.free() || m.w.Used() != m.limit-m.free() {
		t.Fatalf("in flight %d, free %d, used %d with %v and ahead %v in a window of %d",
			m.w.InFlight(), m.w.Free(), m.w.Used(), m.inTurn, m.ahead, m.limit)
	}
	var deadline time.Time
	var oldest uint64
	for _, n := range m.waiting() {
		if at := m.sent[n]; !at.IsZero() && (deadline.IsZero() || at.Add(second).Before(deadline)) {
			deadline = at.Add(second)
		}
		if !m.sent[n].IsZero() && slices.Contains(m.inTurn, n) && (oldest == 0 || n < oldest) {
			oldest = n
		}
	}
	if d, awaited := m.w.Deadline(); awaited != !deadline.IsZero() || awaited && !d.Equal(deadline) {
		t.Fatalf("deadline %v, want %v", d, deadline)
	}
	if n, _ := m.w.Oldest(); n != oldest {
		t.Fatalf("oldest %d, want %d", n, oldest)
	}
}

// TestAgainstPlainMaps draws adds in and out of turn, sends, acknowledgements, new sessions and new processes, and
// compares every answer with the model's.
func TestAgainstPlainMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			limit: rapid.IntRange(1, 8).Draw(t, "limit"), now: time.Unix(0, 0), next: 1,
			settled: map[uint64]bool{}, sent: map[uint64]time.Time{},
		}
		m.w = window.New(m.limit, second, 0)
		t.Repeat(map[string]func(*rapid.T){
			"add": m.add, "add ahead": m.addAhead, "settle": m.settle, "send": m.send, "acknowledge": m.acknowledge,
			"new session": m.session, "new process": m.process, "": m.check,
		})
	})
}

func TestNoMoreOvertakeThanAreRemembered(t *testing.T) {
	w := window.New(1, second, 0)
	for n := uint64(2); n < 2+window.MaxAhead; n++ {
		if !w.AddAhead(n) {
			t.Fatalf("frame %d could not overtake", n)
		}
		w.Acknowledge(n)
	}
	if w.AddAhead(10_000) {
		t.Error("one more overtook")
	}
	if !w.Add(1) {
		t.Error("the frame that was overtaken is not published")
	}
	if w.Acknowledge(1); w.Floor() != 1 {
		t.Errorf("floor %d", w.Floor())
	}
	for n := uint64(2); n < 2+window.MaxAhead; n++ {
		if w.Add(n) {
			t.Fatalf("frame %d is published again", n)
		}
	}
	if w.Floor() != 1+window.MaxAhead || !w.AddAhead(10_000) {
		t.Errorf("floor %d after all had their turn", w.Floor())
	}
}
