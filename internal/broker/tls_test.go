package broker_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

var secureSchemes = []string{"mqtts", "wss"}

func TestCertificates(t *testing.T) {
	ca := testkit.NewCA(t)
	for name, c := range map[string]struct {
		pair testkit.KeyPair
		ca   []byte
		want string
	}{
		"of another authority":  {ca.Server(t, "127.0.0.1"), testkit.NewCA(t).PEM(), "into tls.ca"},
		"of no known authority": {ca.Server(t, "127.0.0.1"), nil, "into tls.ca"},
		"for other names":       {ca.Server(t, "a.example", "b.example"), ca.PEM(), "use a name that the certificate has"},
		"expired":               {ca.ExpiredServer(t, "127.0.0.1"), ca.PEM(), "has to be renewed"},
		"for clients only":      {ca.Client(t, "127.0.0.1"), ca.PEM(), "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			b := testkit.StartBroker(t, testkit.WithSchemes(secureSchemes...), testkit.WithCA(ca), testkit.WithCertificate(c.pair))
			for _, scheme := range secureSchemes {
				o := options(t, b.URI(scheme))
				o.TLS = tlsConfig(t, c.ca, nil, "")
				failed := refused(t, o, broker.StageTLS, broker.Refused)
				if !strings.Contains(failed.Error(), c.want) {
					t.Errorf("%s: the error does not say %q", scheme, c.want)
				}
			}
			if b.Connects() != 0 {
				t.Errorf("%d CONNECT packets over a bad TLS", b.Connects())
			}
		})
	}
}

func TestHostNameErrorSaysTheNames(t *testing.T) {
	ca := testkit.NewCA(t)
	b := testkit.StartBroker(t, testkit.WithSchemes("mqtts"), testkit.WithCA(ca),
		testkit.WithCertificate(ca.Server(t, "a.example", "b.example")))
	o := options(t, "mqtts://c.example")
	o.TLS = tlsConfig(t, ca.PEM(), nil, "")
	o.Dial = dialTo(b.Address("mqtts"))
	failed := refused(t, o, broker.StageTLS, broker.Refused)
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		if !strings.Contains(failed.Error(), name) {
			t.Errorf("the error does not name %s", name)
		}
	}
}

func TestServerName(t *testing.T) {
	ca := testkit.NewCA(t)
	b := testkit.StartBroker(t, testkit.WithSchemes(secureSchemes...), testkit.WithCA(ca),
		testkit.WithCertificate(ca.Server(t, "broker.example")))
	for _, scheme := range secureSchemes {
		byHost := options(t, scheme+"://Broker.Example")
		byHost.TLS = tlsConfig(t, ca.PEM(), nil, "")
		byHost.Dial = dialTo(b.Address(scheme))
		connect(t, byHost)
		byServerName := options(t, b.URI(scheme))
		byServerName.TLS = tlsConfig(t, ca.PEM(), nil, "broker.example")
		connect(t, byServerName)
	}
}

func TestClientCertificate(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(secureSchemes...), testkit.WithClientCertificates())
	good, bad := b.CA().Client(t, "lorry"), testkit.NewCA(t).Client(t, "lorry")
	for _, scheme := range secureSchemes {
		t.Run(scheme, func(t *testing.T) {
			o := options(t, b.URI(scheme))
			o.TLS = tlsConfig(t, b.CA().PEM(), &good, "")
			s, own := connect(t, o)
			publish(t, s, uplinks(1, 1)...)
			own.awaitAcknowledged(1)

			// In TLS 1.3 the server's verdict comes with its first answer, after the handshake. In TLS 1.2, within.
			for version, stage := range map[uint16]broker.Stage{tls.VersionTLS12: broker.StageTLS, tls.VersionTLS13: afterTLS[scheme]} {
				o.TLS = tlsConfig(t, b.CA().PEM(), nil, "")
				o.TLS.MaxVersion = version
				failed := refused(t, o, stage, broker.Refused)
				if !strings.Contains(failed.Error(), "set tls.certificate and tls.key") {
					t.Error("the error does not say what to do")
				}
				o.TLS = tlsConfig(t, b.CA().PEM(), &bad, "")
				o.TLS.MaxVersion = version
				failed = refused(t, o, stage, broker.Refused)
				if !strings.Contains(failed.Error(), "does not accept the client certificate") {
					t.Error("the error does not say what to do")
				}
			}
		})
	}
}

var afterTLS = map[string]broker.Stage{"mqtts": broker.StageConnack, "wss": broker.StageWebSocket}

func TestSchemesAndPortsMixedUp(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(schemes...))
	for _, scheme := range secureSchemes {
		o := withTLS(t, options(t, scheme+"://"+b.Address("mqtt")), b.CA())
		o.Dial = dialTo(notTLS(t))
		failed := refused(t, o, broker.StageTLS, broker.Retryable)
		if !strings.Contains(failed.Error(), "does not speak TLS") {
			t.Errorf("%s to a port without TLS: %v", scheme, failed)
		}
	}
	failed := refused(t, options(t, "ws://"+b.Address("wss")), broker.StageWebSocket, broker.Refused) // Go's server says 400
	if !strings.Contains(failed.Error(), "HTTPS server") {
		t.Errorf("ws to a wss port: %v", failed)
	}
	refused(t, options(t, "mqtt://"+b.Address("mqtts")), broker.StageConnack, broker.Retryable)
}

// notTLS listens and answers whatever comes with a line of text.
func notTLS(t *testing.T) string {
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestTLSConfigRefuses(t *testing.T) {
	ca := testkit.NewCA(t)
	pair, other := ca.Client(t, "a"), ca.Client(t, "b")
	broken := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	for name, c := range map[string]struct {
		ca, certificate, key []byte
		alpn                 []string
		want                 string
	}{
		"CA that is no PEM":          {ca: []byte("hello"), want: "tls.ca: no certificate"},
		"CA that is a key":           {ca: pair.Key, want: `tls.ca: the PEM holds a "PRIVATE KEY"`},
		"CA that is broken":          {ca: append(ca.PEM(), broken...), want: "tls.ca: the PEM holds a broken certificate"},
		"certificate without key":    {certificate: pair.Certificate, want: "tls.key: missing"},
		"key without certificate":    {key: pair.Key, want: "tls.certificate: missing"},
		"certificate that is no PEM": {certificate: []byte("x"), key: pair.Key, want: "tls.certificate: no certificate"},
		"certificate with its key":   {certificate: append(pair.Certificate, pair.Key...), key: pair.Key, want: "tls.certificate: the PEM holds"},
		"key of another":             {certificate: pair.Certificate, key: other.Key, want: "tls.key: not the PEM of the unencrypted private key"},
		"key that is no PEM":         {certificate: pair.Certificate, key: []byte("s3cret"), want: "tls.key: not"},
		"nameless protocol":          {alpn: []string{"mqtt", ""}, want: "tls.alpn"},
		"protocol too long":          {alpn: []string{strings.Repeat("x", 256)}, want: "tls.alpn"},
	} {
		config, err := broker.TLSConfig(c.ca, c.certificate, c.key, "", c.alpn)
		if err == nil || config != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestTLSConfig(t *testing.T) {
	ca := testkit.NewCA(t)
	pair := ca.Client(t, "a")
	config, err := broker.TLSConfig(append(ca.PEM(), testkit.NewCA(t).PEM()...), pair.Certificate, pair.Key, "n", []string{"mqtt"})
	if err != nil {
		t.Fatal(err)
	}
	if config.MinVersion < tls.VersionTLS12 || config.InsecureSkipVerify || config.ServerName != "n" ||
		len(config.Certificates) != 1 || config.RootCAs == nil || len(config.NextProtos) != 1 {
		t.Errorf("%+v", config)
	}
	if plain, err := broker.TLSConfig(nil, nil, nil, "", nil); err != nil || plain.RootCAs != nil {
		t.Errorf("without anything: %+v, %v", plain, err)
	}
	o := options(t, "mqtts://h")
	o.TLS = &tls.Config{InsecureSkipVerify: true} // #nosec G402 -- to see it refused
	if _, err := broker.Connect(t.Context(), o, broker.Events{}); !errors.Is(err, broker.ErrInvalidOptions) {
		t.Errorf("TLS without verification: %v", err)
	}
}

func TestALPN(t *testing.T) {
	ca := testkit.NewCA(t)
	listener := listen(t)
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"x-mqtt"},
		Certificates: []tls.Certificate{ca.Server(t, "127.0.0.1").TLS(t)},
	}
	chosen := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		server := tls.Server(conn, config)
		defer func() { _ = server.Close() }()
		s := &script{t: t, conn: server}
		s.accept()
		chosen <- server.ConnectionState().NegotiatedProtocol
		s.drain()
	}()
	o := options(t, "mqtts://"+listener.Addr().String())
	var err error
	if o.TLS, err = broker.TLSConfig(ca.PEM(), nil, nil, "", []string{"other", "x-mqtt"}); err != nil {
		t.Fatal(err)
	}
	connect(t, o)
	if got := <-chosen; got != "x-mqtt" {
		t.Errorf("protocol %q", got)
	}
}

func tlsConfig(t *testing.T, ca []byte, pair *testkit.KeyPair, serverName string) *tls.Config {
	t.Helper()
	if pair == nil {
		pair = &testkit.KeyPair{}
	}
	config, err := broker.TLSConfig(ca, pair.Certificate, pair.Key, serverName, nil)
	if err != nil {
		t.Fatal(err)
	}
	return config
}
