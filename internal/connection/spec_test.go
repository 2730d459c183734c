package connection_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// node is the default source in these tests.
var node = connection.SourceDefaults{
	URL:         "wss://ns.example/api/v1.0/data",
	AccessToken: secret.New("node-token"),
	HistoryURL:  "https://ns.example/api/v1.0/history/data",
}

// minimal is a valid connection that says no more than it must.
func minimal() connection.Spec {
	s := connection.Defaults()
	s.ID, s.Filter, s.TopicUp = "acme", "59ae890a63c0f30009e95709", "lora/{type}/{device}"
	s.URI = connection.NewURI("mqtts://user:hunter2@broker.example")
	return s
}

// pair makes a self-signed certificate and its key, in PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "acme"},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// full is a valid connection in which everything is said.
func full(t *testing.T) connection.Spec {
	s := minimal()
	s.Description, s.TopicDown, s.Enabled = "two\nlines", "downstream/#", false
	s.URI = connection.NewURI("wss://user:hunter2@broker.example:8884/ws")
	s.Tags = map[string]string{"customer": "Ärzte & Co", "tier.1": ""}
	s.Source = connection.Source{Kind: connection.SourceWebSocket, URL: "ws://localhost:9000/api/v1.0/data",
		AccessToken: secret.New("hunter3"), Radio: true, LoRa: true, Duplicate: true, HistoryURL: "http://localhost:9000/h",
		ReplayMargin: connection.Duration(90 * time.Second)}
	s.MQTT = connection.MQTT{ClientID: "me", KeepAlive: connection.Duration(time.Minute), AckTimeout: connection.Duration(2 * time.Second),
		MaxInflight: 10, Retain: true, MaxRate: 50, ConnectTimeout: connection.Duration(5 * time.Second)}
	s.Downlink.MaxWait = connection.Duration(1500 * time.Millisecond)
	certificate, key := pair(t)
	s.TLS = connection.TLS{CA: certificate + certificate, Certificate: certificate, Key: secret.New(key),
		ServerName: "other.example", ALPN: []string{"mqtt"}}
	s.WebSocket.Headers = map[string]secret.String{"X-Api-Key": secret.New("hunter4")}
	return s
}
