package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// Ports below those that the kernel gives to outgoing connections (Linux: from 32768 on): while a server is away
// nobody is given its port, and a client that dials it is not connected to itself.
const (
	lowestPort  = 20_000
	highestPort = 30_000
)

// port counts through them, from anywhere on: what is given out is not in use for a while yet, and must not be given out
// again meanwhile, nor by another benchmark or test that runs at the same time.
var port = func() *atomic.Uint32 {
	var first atomic.Uint32
	first.Store(rand.Uint32()) //nolint:gosec // no secret
	return &first
}()

// FreeAddress returns a loopback address, host:port, at which nothing listens.
func FreeAddress() (string, error) {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowestPort+port.Add(1)%(highestPort-lowestPort))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		return address, l.Close()
	}
	return "", errors.New("find a free port: 100 of those from 20000 to 30000 were taken")
}
