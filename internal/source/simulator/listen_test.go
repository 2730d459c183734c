package simulator

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestRestartOnTheSameAddressWithAllHistory(t *testing.T) {
	ns := start(t, Config{Seed: 1})
	addr := ns.Addr()
	first := emit(t, ns, Order{})
	c := dial(t, ns, nil, "")
	ns.Close()
	if _, err := c.ending(t); !websocket.IsCloseError(err, closeGoingAway) {
		t.Errorf("the stream ends with %v", err)
	}
	if ns.Addr() != "" {
		t.Errorf("it still has the address %s", ns.Addr())
	}
	if _, _, err := dialer(nil).Dial("ws://"+addr+DataPath+"?access_token=t", nil); err == nil {
		t.Error("it still listens")
	}
	if status, _ := get(t, ns, DataPath+"?access_token=t"); status != 503 {
		t.Errorf("as a handler it answers %d", status)
	}
	second := emit(t, ns, Order{})
	if err := ns.Start(addr); err != nil {
		t.Fatal(err)
	}
	again := dial(t, ns, nil, "from_unixtime=0")
	sameMessages(t, "after the restart", again.nextN(t, 2), raws([]Message{first, second}))
}

func TestStartTwice(t *testing.T) {
	ns := start(t, Config{})
	if err := ns.Start("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), ns.Addr()) {
		t.Errorf("the second start gives %v", err)
	}
	if err := newNS(t, Config{}).Start(ns.Addr()); err == nil {
		t.Error("two listen on one address")
	}
	ns.Close()
	ns.Close()
}

func TestCloseDoesNotWaitForAClientThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{})
		dialUnread(t, ns, p, "")
		emit(t, ns, Order{})
		synctest.Wait()
		begin := time.Now()
		ns.Close()
		if d := time.Since(begin); d > 2*closeWait {
			t.Errorf("Close took %v", d)
		}
	})
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	ns := start(t, Config{TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}})
	if !strings.HasPrefix(ns.URL(), "wss://") || !strings.HasPrefix(ns.HistoryURL(), "https://") {
		t.Errorf("URLs are %s and %s", ns.URL(), ns.HistoryURL())
	}
	trusting := x509.NewCertPool()
	trusting.AddCert(cert)
	d := dialer(nil)
	d.TLSClientConfig = &tls.Config{RootCAs: trusting}
	conn, _, err := d.Dial(ns.URL()+"?access_token=t", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m := emit(t, ns, Order{})
	if _, frame, err := conn.ReadMessage(); err != nil || !bytes.Equal(frame, m.Raw) {
		t.Errorf("over TLS came %s, %v", frame, err)
	}
	ns.Drop(Reset)
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("a reset over TLS does nothing")
	}
	if _, _, err := dialer(nil).Dial(ns.URL()+"?access_token=t", nil); err == nil {
		t.Error("a client that does not trust the certificate connects")
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	ns := start(t, Config{Record: 10})
	c := dial(t, ns, nil, "")
	all := emitN(t, ns, dataapi.Uplink, 25)
	c.nextN(t, 25)
	messages, sent := ns.Messages(), ns.Sent()
	if len(messages) != 10 || messages[0].N != all[15].N || messages[9].N != all[24].N {
		t.Errorf("%d messages are recorded, from %d", len(messages), messages[0].N)
	}
	if len(sent) != 10 || sent[0].N != all[15].N {
		t.Errorf("%d frames are recorded", len(sent))
	}
}

func TestAwaitGivesUpWithItsContext(t *testing.T) {
	ns := newNS(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ns.Await(ctx, func(Stats) bool { return false }); err == nil || ctx.Err() == nil {
		t.Errorf("Await gives %v", err)
	}
}

func TestTheLogHasNoToken(t *testing.T) {
	var log bytes.Buffer
	ns := newNS(t, Config{Tokens: []string{"t"}, Log: zerolog.New(zerolog.SyncWriter(&log)).Level(zerolog.TraceLevel)})
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	_, _ = get(t, ns, DataPath+"?access_token=wrong-token-4711")
	c := dial(t, ns, nil, "from_unixtime=0")
	c.send(t, "bad")
	c.next(t)
	ns.Drop(CloseFrame)
	_, _ = c.ending(t)
	ns.Close()
	for _, want := range []string{"client refused", "client connected", "fault: connections dropped", "client disconnected", `"level":"debug"`, `"how":"close frame"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), "4711") || strings.Contains(log.String(), "access_token=") {
		t.Errorf("the log has a token:\n%s", log.String())
	}
}
