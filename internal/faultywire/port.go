package faultywire

import (
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Port is a TCP port of 127.0.0.1 that stays ours while nothing listens on it: connections to it are refused, and
// nobody else is given it.
type Port struct {
	address string
	socket  int
}

// ReservePort binds a free port without listening. Listeners bind it besides us, since Go's allow the reuse of
// addresses (SO_REUSEADDR) and so does this socket.
func ReservePort() (*Port, error) {
	syscall.ForkLock.RLock()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("reserve a port: socket: %w", err)
	}
	p := &Port{socket: socket}
	if err := p.bind(); err != nil {
		p.Release()
		return nil, fmt.Errorf("reserve a port: %w", err)
	}
	return p, nil
}

func (p *Port) bind() error {
	if err := syscall.SetsockoptInt(p.socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("set SO_REUSEADDR: %w", err)
	}
	if err := syscall.Bind(p.socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	bound, err := syscall.Getsockname(p.socket)
	if err != nil {
		return fmt.Errorf("read the bound address: %w", err)
	}
	p.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(bound.(*syscall.SockaddrInet4).Port))
	return nil
}

// Address is the port's, as host:port.
func (p *Port) Address() string { return p.address }

// Release gives the port back.
func (p *Port) Release() { _ = syscall.Close(p.socket) }
