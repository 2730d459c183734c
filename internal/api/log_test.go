package api

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/eventlog"
)

// follow opens the log of a connection as a stream.
func (s *stage) follow(id string, header map[string]string) *bufio.Scanner {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.Address()+Prefix+"/connections/"+id+"/log", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	q.Close = true
	q.Header.Set("Authorization", "Bearer "+reader)
	q.Header.Set("Accept", "text/event-stream")
	for name, value := range header {
		q.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%+v", response)
	}
	return bufio.NewScanner(response.Body)
}

// until reads lines up to one that begins so.
func until(t *testing.T, lines *bufio.Scanner, prefix string) string {
	t.Helper()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return lines.Text()
		}
	}
	t.Fatalf("the stream ended before %q: %v", prefix, lines.Err())
	return ""
}

func TestTheLogIsListedAndFollowed(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	s.service.Events.Add("acme", eventlog.Event{Level: eventlog.Warn, Kind: eventlog.BrokerFailed, Message: "no session with the broker", Error: "refused"})
	list := body[EventList](t, s.want(200, request{method: "GET", path: "/connections/acme/log"}))
	if len(list.Events) != 2 || list.Events[1].Error != "refused" || list.Events[1].Number != 2 {
		t.Errorf("%+v", list)
	}
	lines := s.follow("acme", map[string]string{"Last-Event-ID": "1"})
	if got := until(t, lines, "id:"); got != "id: 2" {
		t.Errorf("it begins with %q", got)
	}
	s.want(202, request{method: "POST", path: "/connections/acme/pause"})
	if got := until(t, lines, "id:"); got != "id: 3" {
		t.Errorf("it goes on with %q", got)
	}
	if got := until(t, lines, "data:"); !strings.Contains(got, `"message":"paused by request"`) {
		t.Errorf("%s", got)
	}
}

// A log that is followed holds up neither the end of the connection nor that of the node.
func TestAFollowedLogEnds(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	lines := s.follow("acme", nil)
	until(t, lines, "id:")
	s.service.Events.Forget("acme")
	for lines.Scan() { // ends
	}
	lines = s.follow("acme", nil)
	until(t, lines, ":")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // ends
	}
}
