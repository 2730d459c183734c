package main

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func TestSimulateNS(t *testing.T) {
	ns := inBackground(t, "simulate", "ns", "--listen", "127.0.0.1:0", "--filter", "f", "--token", "secret", "--rate", "100", "--quiet")
	url := ns.stdout.await("Data API  ")
	if history := ns.stdout.await("history   "); !strings.HasPrefix(url, "ws://127.0.0.1:") || !strings.HasPrefix(history, "http://127.0.0.1:") {
		t.Errorf("it shows %s and %s", url, history)
	}
	for query, want := range map[string]int{
		"":                                http.StatusUnauthorized,
		"?access_token=other&filter=f":    http.StatusUnauthorized,
		"?access_token=secret&filter=g":   http.StatusNotFound,
		"?access_token=secret&filter=f":   http.StatusSwitchingProtocols,
		"?access_token=secret&types=info": http.StatusSwitchingProtocols,
	} {
		conn, response, err := websocket.DefaultDialer.Dial(url+query, nil)
		if response == nil || response.StatusCode != want {
			t.Errorf("%s: %+v, %v, want %d", query, response, err, want)
		}
		if err != nil {
			continue
		}
		if _, frame, err := conn.ReadMessage(); err != nil || !strings.Contains(string(frame), "meta") {
			t.Errorf("%s: %q, %v", query, frame, err)
		}
		_ = conn.Close()
	}
	if status := ns.ends(); status != 0 || ns.stderr.String() != "" {
		t.Errorf("it ended with %d: %s", status, ns.stderr)
	}
	if !strings.Contains(ns.stdout.String(), " frames sent to 2 clients, 0 downlinks received, 0 of them in time\n") {
		t.Error(ns.stdout)
	}
}

// An address that is listened on is not always one that can be dialled.
func TestSimulateNSShowsAddressesToDial(t *testing.T) {
	for listen, want := range map[string]string{
		"ws://[::]:9000/api/v1.0/data":          "ws://localhost:9000/api/v1.0/data",
		"ws://0.0.0.0:9000/api/v1.0/data":       "ws://localhost:9000/api/v1.0/data",
		"http://[::1]:9000/api/v1.0/data":       "http://[::1]:9000/api/v1.0/data",
		"http://192.0.2.1:9000/api/v1.0/data":   "http://192.0.2.1:9000/api/v1.0/data",
		"http://ns.example:9000/api/v1.0/data?": "http://ns.example:9000/api/v1.0/data?",
	} {
		if got := fromHere(listen); got != want {
			t.Errorf("%s is shown as %s, want %s", listen, got, want)
		}
	}
}

func TestSimulateNSOnAPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	want := outcome{exitFailure, "", "lorry: start the simulated Network Server on \"" + address + "\": listen tcp " + address + ": bind: address already in use\n"}
	if got := lorry(t, "simulate", "ns", "--listen", address); got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}
