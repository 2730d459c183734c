package broker_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestConnectPacket(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*broker.Options)
		want   packets.ConnectPacket
	}{
		"with everything": {
			func(o *broker.Options) {
				o.URI.User, o.URI.Password = "ü", secret.New("\x00\xff")
				o.KeepAlive = 65535 * time.Second
			},
			packets.ConnectPacket{
				UsernameFlag: true, Username: "ü", PasswordFlag: true, Password: []byte("\x00\xff"),
				ClientIdentifier: "test", Keepalive: 65535,
			},
		},
		"with a user only": {
			func(o *broker.Options) { o.URI.User = "u" },
			packets.ConnectPacket{UsernameFlag: true, Username: "u", ClientIdentifier: "test", Keepalive: 30},
		},
		"with nothing": {
			func(o *broker.Options) { o.ClientID = ""; o.KeepAlive = 1999 * time.Millisecond },
			packets.ConnectPacket{Keepalive: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			connects := make(chan *packets.ConnectPacket, 1)
			o := scripted(t, func(s *script) {
				connects <- s.accept()
				s.drain()
			})
			c.change(&o)
			connect(t, o)
			got := <-connects
			if got.ProtocolName != "MQTT" || got.ProtocolVersion != 4 || !got.CleanSession || got.WillFlag {
				t.Errorf("%v", got)
			}
			if got.UsernameFlag != c.want.UsernameFlag || got.Username != c.want.Username ||
				got.PasswordFlag != c.want.PasswordFlag || !bytes.Equal(got.Password, c.want.Password) ||
				got.ClientIdentifier != c.want.ClientIdentifier || got.Keepalive != c.want.Keepalive {
				t.Errorf("%v with password %q, want %v", got, got.Password, &c.want)
			}
		})
	}
}

// A socket that something else closes here, as a policy of egress may, is a loss like any other. paho would say nothing.
func TestSocketClosedBySomethingElse(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(schemes...))
	for _, scheme := range schemes {
		o := withTLS(t, options(t, b.URI(scheme)), b.CA())
		var socket net.Conn
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			socket = conn
			return conn, err
		}
		_, own := connect(t, o)
		if err := socket.Close(); err != nil {
			t.Fatal(err)
		}
		if err := own.awaitLost(); !errors.Is(err, broker.ErrReset) {
			t.Errorf("%s: lost: %v", scheme, err)
		}
	}
}

func TestConnectTellsOfTheStagesBehindIt(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes("mqtt", "mqtts", "ws", "wss"), testkit.WithUser("u", "p"))
	for scheme, want := range map[string]string{
		"mqtt": "[tcp connack]", "mqtts": "[tcp tls connack]", "ws": "[tcp websocket connack]", "wss": "[tcp tls websocket connack]",
	} {
		for _, password := range []string{"p", "wrong"} {
			o := options(t, b.URI(scheme))
			o.URI.User, o.URI.Password = "u", secret.New(password)
			if o.URI.Secure() {
				o.TLS = &tls.Config{RootCAs: b.CA().Pool(), MinVersion: tls.VersionTLS12}
			}
			reached := []broker.Stage{}
			o.Reached = func(s broker.Stage) { reached = append(reached, s) }
			session, err := broker.Connect(t.Context(), o, broker.Events{})
			expected := want
			if err == nil {
				session.Close()
			}
			if password == "wrong" {
				expected = strings.Replace(want, " connack", "", 1)
			}
			if got := fmt.Sprint(reached); got != expected || (err == nil) != (password == "p") {
				t.Errorf("%s, %s: reached %s, %v; want %s", scheme, password, got, err, expected)
			}
		}
	}
}
