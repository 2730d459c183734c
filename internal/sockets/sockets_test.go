package sockets

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

func TestLimit(t *testing.T) {
	broken := errors.New("broken")
	var fail error
	dial := limit(func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { theirs.Close() })
		return ours, fail
	}, 2)
	open := func() (net.Conn, error) { return dial(t.Context(), "tcp", "broker:1883") }
	first, err := open()
	if err != nil {
		t.Fatal(err)
	}
	fail = broken
	if _, err := open(); !errors.Is(err, broken) { // and takes no place
		t.Fatal(err)
	}
	fail = nil
	if _, err := open(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); !errors.Is(err, ErrNoneFree) || !strings.Contains(err.Error(), "broker:1883") {
		t.Fatalf("a third of 2: %v", err)
	}
	for range 2 { // closing twice frees one
		first.Close()
	}
	if _, err := open(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); !errors.Is(err, ErrNoneFree) {
		t.Fatalf("a third of 2, after one was closed: %v", err)
	}
}

// TestOpenFiles checks that the limit of a real process is found where there is one.
func TestOpenFiles(t *testing.T) {
	if n, known := openFiles(); known && n < 64 {
		t.Errorf("%d files may be open", n)
	}
	dial := Limit((&net.Dialer{}).DialContext)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
