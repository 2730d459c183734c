package app_test

import (
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/egress"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// Both ends obey the policy with the addresses that their names resolve to, which no check of the configuration knows.
func TestEgressIsControlledAtTheDial(t *testing.T) {
	ns := startNS(t)
	b := testkit.StartBroker(t)
	local := func(uri string) string { return strings.Replace(uri, "127.0.0.1", "localhost", 1) }
	cfg := node(t, ns, spec("acme", local(b.URI("mqtt"))))
	cfg.Connections[0].Source.URL = local(ns.URL())
	for _, text := range []string{"127.0.0.0/8", "::1"} {
		rule, err := egress.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Egress.Deny = append(cfg.Egress.Deny, rule)
	}
	if err := cfg.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	a := start(t, cfg)
	await(t, a, func(s messages.Status) bool {
		return s.State == telemetry.Backoff && strings.Contains(s.Broker.LastError, `of host "localhost" is refused by egress.deny`) &&
			strings.Contains(s.Source.LastError, `of host "localhost" is refused by egress.deny`)
	})
	if b.Connects() != 0 || ns.Stats().Connects != 0 {
		t.Errorf("%d CONNECTs, %d streams", b.Connects(), ns.Stats().Connects)
	}
}

func TestEgressLetsThroughWhatIsAllowed(t *testing.T) {
	ns := startNS(t)
	b := testkit.StartBroker(t)
	cfg := node(t, ns, spec("acme", b.URI("mqtt")))
	rule, err := egress.ParseRule("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Egress.Allow = []egress.Rule{rule}
	a := start(t, cfg)
	await(t, a, streaming)
	for range 10 {
		if _, err := ns.Emit(simulator.Order{}); err != nil {
			t.Fatal(err)
		}
	}
	b.AwaitPublished(10)
}
