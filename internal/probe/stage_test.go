package probe_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/probe"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

const (
	token    = "a-token-for-tests"
	filter   = "59ae890a63c0f30009e95709"
	password = "hunter2/ü"
)

func startNS(t *testing.T, change func(*simulator.Config)) *simulator.NS {
	t.Helper()
	c := simulator.Config{Seed: 1, Tokens: []string{token}, Filters: map[string]simulator.Filter{filter: {}}}
	if change != nil {
		change(&c)
	}
	ns, err := simulator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	return ns
}

// spec is a connection between the two, valid and complete.
func spec(t *testing.T, brokerURI, nsURL string, change func(*connection.Spec)) connection.Spec {
	t.Helper()
	s := connection.Defaults()
	s.ID, s.Filter, s.TopicUp, s.TopicDown = "acme", filter, "lora/{type}/{device}", "downstream"
	s.URI = connection.NewURI(brokerURI)
	s.Source.URL, s.Source.AccessToken = nsURL, secret.New(token)
	s.MQTT.AckTimeout = connection.Duration(testkit.Patience)
	if change != nil {
		change(&s)
	}
	s = s.WithDefaults(connection.SourceDefaults{})
	if err := s.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// stages are the names of stages, the failed one with a "!".
func stages(all []probe.Stage) string {
	var out []string
	for _, s := range all {
		name := s.Name
		if !s.OK {
			name += "!"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// assertFailure checks that all stages but the last passed, and that the last says what it is to say.
func assertFailure(t *testing.T, name string, got []probe.Stage, want, cause, mend string) {
	t.Helper()
	if stages(got) != want {
		t.Errorf("%s: stages %s, want %s: %+v", name, stages(got), want, got)
		return
	}
	last := got[len(got)-1]
	if !strings.Contains(last.Error, cause) || !strings.Contains(last.Mend, mend) || last.Mend == "" {
		t.Errorf("%s: error %q, want %q\nmend %q, want %q", name, last.Error, cause, last.Mend, mend)
	}
	for i, s := range got {
		if s.Duration < 0 || s.OK != (i < len(got)-1) || s.OK && s.Error+s.Mend != "" {
			t.Errorf("%s: stage %+v", name, s)
		}
	}
}

// scripted is a broker on loopback that answers packets as a test says; nil ends the connection, and no packets are no
// answer.
func scripted(t *testing.T, answer func(packets.ControlPacket) []packets.ControlPacket) (uri string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn, answer)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "mqtt://" + l.Addr().String()
}

func serve(conn net.Conn, answer func(packets.ControlPacket) []packets.ControlPacket) {
	defer conn.Close()
	for {
		packet, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		answers := answer(packet)
		if answers == nil {
			return
		}
		for _, a := range answers {
			if a.Write(conn) != nil {
				return
			}
		}
	}
}

// obliging is how a broker answers.
func obliging(packet packets.ControlPacket) []packets.ControlPacket {
	switch p := packet.(type) {
	case *packets.ConnectPacket:
		return connack(0)
	case *packets.SubscribePacket:
		a := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
		a.MessageID, a.ReturnCodes = p.MessageID, []byte{1}
		return []packets.ControlPacket{a}
	case *packets.PublishPacket:
		a := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
		a.MessageID = p.MessageID
		return []packets.ControlPacket{a}
	}
	return nil
}

func connack(code byte) []packets.ControlPacket {
	a := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
	a.ReturnCode = code
	return []packets.ControlPacket{a}
}

// closedPort is an address at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return l.Addr().String()
}

// deaf accepts TCP connections and says nothing.
func deaf(t *testing.T) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String() // the system accepts
}

// unreachable waits as a network does that drops everything.
func unreachable(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// withoutSecrets checks that a report has none of the test's secrets.
func withoutSecrets(t *testing.T, r probe.Report, secrets ...string) {
	t.Helper()
	text := fmt.Sprintf("%+v", r)
	if i := slices.IndexFunc(secrets, func(s string) bool { return strings.Contains(text, s) }); i >= 0 {
		t.Errorf("secret %d is in %s", i, text)
	}
}
