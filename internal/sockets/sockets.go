// Package sockets bounds how many sockets a program opens, so that files can be opened in any case. An embedded JetStream
// that finds no descriptor for a file of its store gives up writing for good: connections that cannot be dialled for a
// while are the smaller evil.
package sockets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
)

// Reserve is how many descriptors are left for everything that is no socket of ours: the store's files, HTTP clients,
// name resolution.
const Reserve = 256

// ErrNoneFree says that a dial was not tried: it can be when another socket has been closed.
var ErrNoneFree = errors.New("no socket is free")

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Limit bounds the connections of dial that are open at once to what this process's limit of open files leaves beside
// Reserve. Where there is no limit to be known, dial is returned as it is.
func Limit(dial Dial) Dial {
	files, known := openFiles()
	if !known {
		return dial
	}
	return limit(dial, max(2, files-Reserve))
}

func limit(dial Dial, most int64) Dial {
	open := new(atomic.Int64)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if open.Add(1) > most {
			open.Add(-1)
			return nil, fmt.Errorf("dial %s %s: %w: %d are open, as many as the limit of open files allows (ulimit -n, LimitNOFILE)",
				network, address, ErrNoneFree, most)
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			open.Add(-1)
			return nil, err
		}
		return &counted{Conn: conn, open: open}, nil
	}
}

// counted is a connection that counts as open until it is closed for the first time.
type counted struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

// Close implements net.Conn.
func (c *counted) Close() error {
	err := c.Conn.Close()
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return err
}
