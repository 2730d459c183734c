package testkit

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

var allSchemes = []string{"mqtt", "mqtts", "ws", "wss"}

// client is an MQTT client that knows nothing of this project.
func client(t *testing.T, uri, id, user, password string, ca *CA) (mqtt.Client, error) {
	t.Helper()
	if strings.HasPrefix(uri, "ws") {
		uri += WebSocketPath
	}
	options := mqtt.NewClientOptions().AddBroker(uri).SetClientID(id).SetUsername(user).SetPassword(password)
	options.SetAutoReconnect(false).SetProtocolVersion(4).SetConnectTimeout(Patience)
	options.SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.Pool()})
	c := mqtt.NewClient(options)
	if token := c.Connect(); token.Wait() && token.Error() != nil {
		return nil, token.Error()
	}
	t.Cleanup(func() { c.Disconnect(250) })
	return c, nil
}

func mustDo(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(Patience) || token.Error() != nil {
		t.Fatalf("MQTT: %v", token.Error())
	}
}

func TestBrokerRecords(t *testing.T) {
	b := StartBroker(t, WithSchemes(allSchemes...), WithUser("u", "p"), WithUser("v", "q"),
		WithACL(func(user, topic string, write bool) bool { return write || (user == "u" && topic != "secret") }))
	for i, scheme := range allSchemes {
		if _, err := client(t, b.URI(scheme), "c", "u", "wrong", b.CA()); err == nil {
			t.Errorf("%s: admitted with a wrong password", scheme)
		}
		c, err := client(t, b.URI(scheme), "c", "u", "p", b.CA())
		if err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		mustDo(t, c.Publish("a/"+scheme, 1, true, "x"))
		got := b.AwaitPublished(i + 1)[i]
		if got.Client != "c" || got.Topic != "a/"+scheme || string(got.Payload) != "x" || got.QoS != 1 || !got.Retain || got.Dup {
			t.Errorf("%s: recorded %+v", scheme, got)
		}
		arrived := make(chan string, 1)
		subscribe := c.Subscribe("down", 1, func(_ mqtt.Client, m mqtt.Message) { arrived <- string(m.Payload()) })
		mustDo(t, subscribe)
		b.AwaitSubscription("down")
		b.Send("down", []byte("y"), 1)
		if payload := <-arrived; payload != "y" {
			t.Errorf("%s: arrived %q", scheme, payload)
		}
		denied := c.Subscribe("secret", 1, nil).(*mqtt.SubscribeToken)
		mustDo(t, denied)
		if denied.Result()["secret"] != 0x80 {
			t.Errorf("%s: granted what the ACL denies: %v", scheme, denied.Result())
		}
		c.Disconnect(250)
		b.AwaitDisconnects(i + 1)
	}
	if want := 2 * len(allSchemes); b.Connects() != want {
		t.Errorf("%d CONNECT packets, want %d", b.Connects(), want)
	}
}

func TestBrokerRestartsOnItsPorts(t *testing.T) {
	b := StartBroker(t, WithSchemes(allSchemes...))
	for range 3 {
		for _, scheme := range allSchemes {
			if _, err := client(t, b.URI(scheme), scheme, "", "", b.CA()); err != nil {
				t.Fatalf("%s: %v", scheme, err)
			}
		}
		silent, err := net.Dial("tcp", b.Address("mqtt")) // never says CONNECT
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = silent.Close() })
		b.Stop()
		b.Stop() // once is enough
		if _, err := silent.Read(make([]byte, 1)); err == nil {
			t.Error("a stopped broker talks")
		}
		if conn, err := net.Dial("tcp", b.Address("mqtt")); err == nil {
			_ = conn.Close()
			t.Error("a stopped broker listens")
		}
		b.Start()
		b.Start() // once is enough
	}
}

func TestBrokerCutsOff(t *testing.T) {
	b := StartBroker(t)
	lost := make(chan error, 1)
	options := mqtt.NewClientOptions().AddBroker(b.URI("mqtt")).SetClientID("c").SetAutoReconnect(false)
	options.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	c := mqtt.NewClient(options)
	mustDo(t, c.Connect())
	b.CutOff("c")
	select {
	case err := <-lost:
		t.Log(err)
	case <-time.After(Patience):
		t.Error("not cut off")
	}
}

// A client that comes back at once under the same client ID keeps what it subscribes to, although the broker is still
// cleaning up after its last session.
func TestBrokerKeepsTheNewSession(t *testing.T) {
	b := StartBroker(t)
	for round := range 30 {
		c, err := client(t, b.URI("mqtt"), "same", "", "", b.CA())
		if err != nil {
			t.Fatal(err)
		}
		arrived := make(chan string, 1)
		mustDo(t, c.Subscribe("down", 1, func(_ mqtt.Client, m mqtt.Message) { arrived <- string(m.Payload()) }))
		b.Send("down", fmt.Append(nil, round), 1)
		select {
		case <-arrived:
		case <-time.After(Patience):
			t.Fatalf("round %d: the subscription is gone", round)
		}
		switch round % 3 { // then a DISCONNECT, a cut, or a takeover by the next
		case 0:
			c.Disconnect(250)
		case 1:
			b.CutOff("same")
		}
	}
}

func TestCertificatesOfCA(t *testing.T) {
	ca := NewCA(t)
	b := StartBroker(t, WithSchemes("mqtts"), WithCA(ca), WithCertificate(ca.ExpiredServer(t, "127.0.0.1")))
	if _, err := client(t, b.URI("mqtts"), "c", "", "", ca); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired certificate: %v", err)
	}
	b = StartBroker(t, WithSchemes("mqtts"), WithClientCertificates())
	if _, err := client(t, b.URI("mqtts"), "c", "", "", b.CA()); err == nil {
		t.Error("admitted without a client certificate")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: b.CA().Pool(), Certificates: []tls.Certificate{b.CA().Client(t, "c").TLS(t)}}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(b.URI("mqtts")).SetTLSConfig(config).SetAutoReconnect(false))
	mustDo(t, c.Connect())
	c.Disconnect(250)
}
