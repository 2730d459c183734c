//go:build interop

package testkit

import (
	"net"
	"strings"
	"testing"
)

func TestMosquitto(t *testing.T) {
	m := StartMosquitto(t, WithSchemes(allSchemes...), WithUser("u", "p@ß"), WithUser("v", "q"))
	for range 2 {
		for _, scheme := range allSchemes {
			if _, err := client(t, m.URI(scheme), "c", "u", "wrong", m.CA()); err == nil {
				t.Errorf("%s: admitted with a wrong password", scheme)
			}
			if _, err := client(t, m.URI(scheme), "c", "", "", m.CA()); err == nil {
				t.Errorf("%s: admitted without a password", scheme)
			}
			c, err := client(t, m.URI(scheme), "c", "u", "p@ß", m.CA())
			if err != nil {
				t.Fatalf("%s: %v\n%s", scheme, err, m.Log())
			}
			mustDo(t, c.Publish("a", 1, false, "x"))
		}
		if !strings.Contains(m.Log(), "PUBLISH") {
			t.Errorf("mosquitto does not say what it does:\n%s", m.Log())
		}
		m.Stop()
		m.Stop() // once is enough
		if conn, err := net.Dial("tcp", m.Address("mqtt")); err == nil {
			_ = conn.Close()
			t.Error("a stopped mosquitto listens")
		}
		m.Start()
		m.Start() // once is enough
	}
}

func TestMosquittoWantsClientCertificates(t *testing.T) {
	m := StartMosquitto(t, WithSchemes("mqtts", "wss"), WithClientCertificates())
	for _, scheme := range []string{"mqtts", "wss"} {
		if _, err := client(t, m.URI(scheme), "c", "", "", m.CA()); err == nil {
			t.Errorf("%s: admitted without a client certificate", scheme)
		}
	}
}
