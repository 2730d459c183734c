//go:build interop

package probe_test

import (
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/probe"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestMosquittoPassesOrSaysWhyNot(t *testing.T) {
	ns := startNS(t, nil)
	m := testkit.StartMosquitto(t, testkit.WithSchemes("mqtt", "mqtts", "ws", "wss"), testkit.WithUser("user", password))
	for scheme, want := range map[string]string{
		"mqtt": "tcp connack suback puback", "mqtts": "tcp tls connack suback puback",
		"ws": "tcp websocket connack suback puback", "wss": "tcp tls websocket connack suback puback",
	} {
		run := func(password string) probe.Report {
			uri := scheme + "://user:" + password + "@" + m.Address(scheme)
			return probe.Probe(t.Context(), spec(t, uri, ns.URL(), func(s *connection.Spec) {
				if strings.Contains(want, "tls") {
					s.TLS.CA = string(m.CA().PEM())
				}
			}), nil)
		}
		if r := run("hunter2%2F%C3%BC"); !r.OK || stages(r.Broker) != want {
			t.Errorf("%s: %+v", scheme, r)
		}
		refused := strings.Replace(want, "connack suback puback", "connack!", 1)
		assertFailure(t, scheme, run("wrong").Broker, refused, "CONNACK 5, not authorized", "check user and password in uri")
	}
}
