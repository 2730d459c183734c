package broker_test

import (
	"bytes"
	"net/url"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

const benchWindow = 100

var benchPayload = bytes.Repeat([]byte("u"), 560)

// BenchmarkPublish measures messages from Publish to Acknowledged with a window of 100, over every scheme, with the
// broker in the same process.
func BenchmarkPublish(b *testing.B) {
	embedded := testkit.StartBroker(b, testkit.WithSchemes(schemes...), testkit.WithoutRecord())
	benchmarkPublish(b, embedded.URI, embedded.CA())
}

func benchmarkPublish(b *testing.B, uri func(scheme string) string, ca *testkit.CA) {
	for _, scheme := range schemes {
		b.Run(scheme+"/session", func(b *testing.B) { benchmarkSession(b, withTLS(b, options(b, uri(scheme)), ca)) })
		b.Run(scheme+"/bare-paho", func(b *testing.B) { benchmarkBare(b, withTLS(b, options(b, uri(scheme)), ca)) })
	}
}

func benchmarkSession(b *testing.B, o broker.Options) {
	window := make(chan struct{}, benchWindow)
	s, err := broker.Connect(b.Context(), o, broker.Events{Acknowledged: func(uint64) { <-window }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.SetBytes(int64(len(benchPayload)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		window <- struct{}{}
		if err := s.Publish(broker.Message{Seq: uint64(i), Topic: "lora/uplink", Payload: benchPayload}); err != nil {
			b.Fatal(err)
		}
	}
	for range benchWindow { // all of it is free again when the last is acknowledged
		window <- struct{}{}
	}
}

// benchmarkBare is the comparison: paho over the connection as it dials it itself, a goroutine per token.
func benchmarkBare(b *testing.B, o broker.Options) {
	options := mqtt.NewClientOptions().SetClientID("bare").SetProtocolVersion(4).SetAutoReconnect(false)
	options.SetOrderMatters(false).SetWriteTimeout(time.Second).SetTLSConfig(o.TLS)
	where := &url.URL{Scheme: o.URI.Scheme, Host: o.URI.Address(), Path: o.URI.Path}
	options.Servers = []*url.URL{where}
	client := mqtt.NewClient(options)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		b.Fatal(token.Error())
	}
	defer client.Disconnect(100)
	window := make(chan struct{}, benchWindow)
	var wg sync.WaitGroup
	b.SetBytes(int64(len(benchPayload)))
	b.ReportAllocs()
	for b.Loop() {
		window <- struct{}{}
		token := client.Publish("lora/uplink", 1, false, benchPayload)
		wg.Go(func() {
			<-token.Done()
			<-window
		})
	}
	wg.Wait()
}
