package simulator

import (
	"crypto/tls"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func status(t *testing.T, ns *NS, config *tls.Config) (int, error) {
	t.Helper()
	d := dialer(nil)
	d.TLSClientConfig = config
	conn, resp, err := d.Dial(ns.URL()+"?access_token=t", nil)
	if err == nil {
		_ = conn.Close()
		return http.StatusSwitchingProtocols, nil
	}
	if resp != nil {
		return resp.StatusCode, err
	}
	return 0, err
}

func TestRefuse(t *testing.T) {
	ns := start(t, Config{})
	c := dial(t, ns, nil, "")
	url := ns.URL()
	for _, step := range []struct {
		how    Refusal
		status int
	}{
		{Unavailable, 503}, {Unauthorized, 401}, {Accept, 101}, {NotListening, 0}, {NotListening, 0}, {Unavailable, 503},
		{NotListening, 0}, {Accept, 101},
	} {
		if err := ns.Refuse(step.how, 0); err != nil {
			t.Fatal(err)
		}
		got, err := status(t, ns, nil)
		if got != step.status || step.how == NotListening && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Refuse(%d): %d %v, want %d", step.how, got, err, step.status)
		}
		if ns.URL() != url {
			t.Errorf("the URL is now %s", ns.URL())
		}
		emit(t, ns, Order{}) // who is connected stays so
		c.next(t)
	}
}

func TestRefuseEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns := newNS(t, Config{})
		ask := func() int { s, _ := get(t, ns, HistoryPath+"?access_token=t&from=20200101000000"); return s }
		if err := ns.Refuse(Unavailable, time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - 1)
		if s := ask(); s != 503 {
			t.Errorf("just before the end: %d", s)
		}
		time.Sleep(time.Nanosecond)
		if s := ask(); s != 200 {
			t.Errorf("at the end: %d", s)
		}
	})
}

func TestNotListeningEndsByItself(t *testing.T) {
	ns := start(t, Config{})
	if err := ns.Refuse(NotListening, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	await(t, ns, func(Stats) bool {
		ns.mu.Lock()
		defer ns.mu.Unlock()
		return ns.life.listener != nil
	})
	if got, err := status(t, ns, nil); got != http.StatusSwitchingProtocols {
		t.Errorf("%d %v", got, err)
	}
}

func TestNotListeningNeedsASocketOfItsOwn(t *testing.T) {
	if err := newNS(t, Config{}).Refuse(NotListening, 0); err == nil {
		t.Error("no error")
	}
}
