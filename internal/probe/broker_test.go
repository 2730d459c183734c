package probe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/egress"
	"github.com/lorry-mqtt/lorry/internal/probe"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// asking is an obliging broker that notes the filters it is asked for.
func asking(filters *[]string) func(packets.ControlPacket) []packets.ControlPacket {
	return func(packet packets.ControlPacket) []packets.ControlPacket {
		if s, ok := packet.(*packets.SubscribePacket); ok {
			*filters = append(*filters, s.Topics...)
		}
		return obliging(packet)
	}
}

// instead is an obliging broker but for one kind of packet, which it answers so.
func instead(kind byte, answer []packets.ControlPacket) func(packets.ControlPacket) []packets.ControlPacket {
	return func(packet packets.ControlPacket) []packets.ControlPacket {
		if name := fmt.Sprintf("%T", packet); name == fmt.Sprintf("%T", packets.NewControlPacket(kind)) {
			return answer
		}
		return obliging(packet)
	}
}

// nothing is no answer.
var nothing = []packets.ControlPacket{}

// brokerFault is a way in which the broker's side can be wrong, and what the test is to say of it.
type brokerFault struct {
	uri         string
	change      func(*connection.Spec)
	want        string // the stages
	cause, mend string
}

func assertBrokerFaults(t *testing.T, faults map[string]brokerFault) {
	t.Helper()
	ns := startNS(t, nil)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			r := probe.Probe(t.Context(), spec(t, f.uri, ns.URL(), f.change), nil)
			assertFailure(t, name, r.Broker, f.want, f.cause, f.mend)
			if r.OK || stages(r.Source) != "tcp websocket stream" {
				t.Errorf("%+v", r)
			}
			withoutSecrets(t, r, "hunter2", token)
		})
	}
}

func TestBrokersThatCannotBeReached(t *testing.T) {
	quick := func(s *connection.Spec) { s.MQTT.ConnectTimeout = connection.Duration(300 * time.Millisecond) }
	assertBrokerFaults(t, map[string]brokerFault{
		"nothing listens": {"mqtt://" + closedPort(t), nil, "tcp!", "connection refused", "nothing listens there"},
		"it says nothing": {"mqtt://" + deaf(t), quick, "tcp connack!", "no answer in time", "check that uri's scheme is what the broker speaks"},
		"it says nothing to TLS": {
			"mqtts://" + deaf(t), quick, "tcp tls!", "no answer in time", "check that uri's scheme is what the broker speaks",
		},
	})
}

func TestCertificatesThatDoNotFit(t *testing.T) {
	ca := testkit.NewCA(t)
	trusting := func(s *connection.Spec) { s.TLS.CA = string(ca.PEM()) }
	start := func(pair testkit.KeyPair, options ...testkit.BrokerOption) string {
		options = append(options, testkit.WithSchemes("mqtts"), testkit.WithCA(ca), testkit.WithCertificate(pair))
		return testkit.StartBroker(t, options...).URI("mqtts")
	}
	good := ca.Server(t, "127.0.0.1")
	var many []string
	for i := range 12 {
		many = append(many, fmt.Sprintf("n%d.example", i))
	}
	plain := testkit.StartBroker(t).Address("mqtt")
	assertBrokerFaults(t, map[string]brokerFault{
		"another name": {
			start(ca.Server(t, "other.example", "192.0.2.1")), trusting, "tcp tls!", "not 127.0.0.1",
			"the certificate is for other.example, 192.0.2.1: use such a name in uri or as tls.server_name, or have one issued for 127.0.0.1",
		},
		"no name":         {start(ca.Server(t)), trusting, "tcp tls!", "127.0.0.1", "the certificate is for no name at all"},
		"many names":      {start(ca.Server(t, many...)), trusting, "tcp tls!", "127.0.0.1", "n9.example and 2 more"},
		"expired":         {start(ca.ExpiredServer(t, "127.0.0.1")), trusting, "tcp tls!", "expired", "has to be renewed"},
		"an unknown CA":   {start(good), nil, "tcp tls!", "unknown authority", "into tls.ca"},
		"no client's own": {start(good, testkit.WithClientCertificates()), trusting, "tcp tls connack!", "certificate", "set tls.certificate and tls.key"},
		"none, but plain": {"mqtts://" + plain, trusting, "tcp tls!", "", "those of a TLS server"},
		"one, where not":  {"mqtt://" + strings.TrimPrefix(start(good), "mqtts://"), nil, "tcp connack!", "", "uri's scheme"},
	})
}

func TestUpgradesThatAreRefused(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes("ws"))
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "your key "+r.Header.Get("X-Api-Key")+" is bad", http.StatusForbidden)
	}))
	t.Cleanup(echo.Close)
	assertBrokerFaults(t, map[string]brokerFault{
		"the path": {b.URI("ws") + "/other", nil, "tcp websocket!", "HTTP 404 Not Found", "check the path in uri"},
		"a header": {
			strings.Replace(echo.URL, "http", "ws", 1), func(s *connection.Spec) { s.WebSocket.Headers["X-Api-Key"] = secret.New("hunter2") },
			"tcp websocket!", `HTTP 403 Forbidden ("your key *** is bad")`, "websocket.headers",
		},
	})
}

func TestBrokersThatRefuse(t *testing.T) {
	for code, c := range map[byte][2]string{
		1: {"CONNACK 1, unacceptable protocol version", "does not accept MQTT 3.1.1; the test connects as lorrytest"},
		2: {"CONNACK 2, client ID rejected", `choose another mqtt.client_id; the test connects as lorrytest`},
		3: {"CONNACK 3, server unavailable", `not as "lorry-acme": a broker that admits that one only refuses the test`},
		4: {"CONNACK 4, bad user or password", "check user and password"},
		5: {"CONNACK 5, not authorized", "check user and password"},
	} {
		uri := scripted(t, instead(packets.Connect, connack(code)))
		assertBrokerFaults(t, map[string]brokerFault{fmt.Sprint("code ", code): {uri, nil, "tcp connack!", c[0], c[1]}})
	}
	denying := testkit.StartBroker(t, testkit.WithACL(func(_, topic string, _ bool) bool { return topic != "downstream" }))
	users := testkit.StartBroker(t, testkit.WithUser("user", password))
	short := func(s *connection.Spec) { s.MQTT.AckTimeout = connection.Duration(200 * time.Millisecond) }
	assertBrokerFaults(t, map[string]brokerFault{
		"the password": {
			strings.Replace(users.URI("mqtt"), "://", "://user:wrong@", 1), nil, "tcp connack!", "CONNACK", "check user and password in uri",
		},
		"the subscription": {denying.URI("mqtt"), nil, "tcp connack suback!", `SUBACK 0x80 for the topic filter "downstream"`, "lets this user subscribe"},
		"the subscription, by closing": {
			scripted(t, instead(packets.Subscribe, nil)), nil, "tcp connack suback!", "the broker closed the connection", "let this user subscribe to topic_down",
		},
		"the message, by closing": {
			scripted(t, instead(packets.Publish, nil)), nil, "tcp connack suback puback!", "the broker closed the connection", "let this user publish to topic_up",
		},
		"the message, by silence": {
			scripted(t, instead(packets.Publish, nothing)), short, "tcp connack suback puback!", "no PUBACK within 200ms", "raise mqtt.ack_timeout",
		},
		"the subscription, by silence": {
			scripted(t, instead(packets.Subscribe, nothing)), func(s *connection.Spec) { s.MQTT.ConnectTimeout = connection.Duration(time.Second) },
			"tcp connack suback!", "no SUBACK within 1s", "broker's log",
		},
	})
}

// Names are resolved, and the policy of egress is obeyed, as the connection does.
func TestNamesAndThePolicyOfEgress(t *testing.T) {
	ns, b, dns := startNS(t, nil), testkit.StartBroker(t), testkit.StartDNS(t)
	dns.Set("local.example", []netip.Addr{netip.MustParseAddr("127.0.0.1")})
	named := func(host, uri string) string { return strings.Replace(uri, "127.0.0.1", host, 1) }
	run := func(host string, deny ...string) probe.Report {
		policy := &egress.Policy{Resolver: dns.Resolver()}
		for _, text := range deny {
			rule, err := egress.ParseRule(text)
			if err != nil {
				t.Fatal(err)
			}
			policy.Deny = append(policy.Deny, rule)
		}
		return probe.Probe(t.Context(), spec(t, named(host, b.URI("mqtt")), named(host, ns.URL()), nil), policy.DialContext)
	}
	if r := run("local.example"); !r.OK || stages(r.Broker) != "dns tcp connack suback puback" || stages(r.Source) != "dns tcp websocket stream" {
		t.Errorf("%+v", r)
	}
	connects := b.Connects()
	r := run("local.example", "127.0.0.0/8")
	const refusal = `address 127.0.0.1 of host "local.example" is refused by egress.deny: 127.0.0.0/8`
	assertFailure(t, "broker", r.Broker, "dns tcp!", refusal, "have egress.deny of this node changed")
	assertFailure(t, "source", r.Source, "dns tcp!", refusal, "have egress.deny of this node changed")
	r = run("local.example", "*.example")
	assertFailure(t, "broker", r.Broker, "tcp!", `host "local.example" is refused by egress.deny: *.example`, "use another host")
	assertFailure(t, "source", r.Source, "tcp!", `host "local.example" is refused by egress.deny: *.example`, "use another host")
	r = run("unknown.example")
	assertFailure(t, "broker", r.Broker, "dns!", "no such host", "check the host in uri")
	assertFailure(t, "source", r.Source, "dns!", "no such host", "check the host name in source.url")
	if n := b.Connects(); n != connects {
		t.Errorf("%d CONNECTs more", n-connects)
	}
}
