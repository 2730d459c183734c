//go:build interop

package app_test

import (
	"bufio"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// TestMosquittoShowsTheTopics has a connection for each scheme, with credentials that have to be URL-encoded and
// an authority of our own, and looks at what arrives with mosquitto's own subscriber.
func TestMosquittoShowsTheTopics(t *testing.T) {
	const user, password = "acme", "p@ß:w/rd"
	ns := startNS(t)
	schemes := []string{"mqtt", "mqtts", "ws", "wss"}
	m := testkit.StartMosquitto(t, testkit.WithSchemes(schemes...), testkit.WithUser(user, password))
	var specs []connection.Spec
	for _, scheme := range schemes {
		s := spec(scheme, scheme+"://"+url.UserPassword(user, password).String()+"@"+m.Address(scheme))
		s.TopicUp = "lora/" + scheme + "/{type}/{device}"
		if strings.HasSuffix(scheme, "s") && scheme != "ws" {
			s.TLS.CA = string(m.CA().PEM())
		}
		specs = append(specs, s)
	}
	a := start(t, node(t, ns, specs...))
	await(t, a, streaming)
	lines := subscribe(t, m, user, password)
	var sent []simulator.Message
	for range 25 {
		message, err := ns.Emit(simulator.Order{})
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, message)
	}
	await(t, a, func(s messages.Status) bool { return s.Counters.Acknowledged == uint64(len(sent)) })
	for _, scheme := range schemes {
		for _, message := range sent {
			want := "lora/" + scheme + "/uplink/" + message.Device + " " + strings.ReplaceAll(string(message.Raw), "\n", "¶")
			if !lines(want) {
				t.Fatalf("mosquitto_sub does not show %s", want)
			}
		}
	}
}

// TestMosquittoRefusesWhatIsTooLarge has mosquitto end the session of whoever sends a packet beyond its limit: the frame
// is parked, and the others pass.
func TestMosquittoRefusesWhatIsTooLarge(t *testing.T) {
	const limit = 4096
	ns := startNS(t)
	m := testkit.StartMosquitto(t, testkit.WithMaximumPacketSize(limit))
	a := start(t, node(t, ns, spec("acme", m.URI("mqtt"))))
	await(t, a, streaming)
	for i := range 40 {
		if i == 20 {
			ns.Inject([]byte(`{"type":"uplink","meta":{"device":"` + strings.Repeat("d", 2*limit) + `"}}`))
		}
		if _, err := ns.Emit(simulator.Order{}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, a, func(s messages.Status) bool {
		return s.Counters.Acknowledged == 40 && s.Counters.Parked == 1 && s.Lag.Frames == 0
	})
}

// subscribe runs mosquitto_sub -v and returns a function that waits for a line, in which ¶ stands for the line
// breaks within a payload.
func subscribe(t *testing.T, m *testkit.Mosquitto, user, password string) (shows func(line string) bool) {
	t.Helper()
	host, port, _ := strings.Cut(m.Address("mqtt"), ":")
	// A payload may have line breaks of its own, so each message ends with a mark; -d tells of the SUBACK.
	// It writes its lines one by one only to a terminal, or under stdbuf.
	cmd := exec.CommandContext(t.Context(), "stdbuf", "-oL", "mosquitto_sub", "-h", host, "-p", port, "-u", user, "-P", password,
		"-q", "1", "-t", "lora/#", "-d", "-F", "%t %p¶¶")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install it with `make interop-deps`", err)
	}
	arrived := make(chan string, 10_000)
	go func() {
		defer close(arrived)
		r := bufio.NewReader(out)
		var message strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			message.WriteString(line)
			if text := message.String(); strings.HasPrefix(text, "Client ") || strings.HasPrefix(text, "Subscribed ") || strings.HasSuffix(text, "¶¶\n") {
				arrived <- strings.ReplaceAll(strings.TrimSuffix(text, "¶¶\n"), "\n", "¶")
				message.Reset()
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range arrived { // until it has ended
		}
		_ = cmd.Wait()
	})
	for line := range arrived {
		if strings.HasPrefix(line, "Subscribed ") {
			break
		}
	}
	seen := map[string]bool{}
	return func(want string) bool {
		for !seen[want] {
			line, open := <-arrived
			if !open {
				return false
			}
			seen[line] = true
		}
		return true
	}
}
