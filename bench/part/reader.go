package part

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// ReaderReceived is the reader's count of frames.
const ReaderReceived = "reader_received_total"

// readerBuffer is how many bytes the reader takes from the kernel at once.
const readerBuffer = 256 << 10

// Reader reads the flood as fast as it comes and does nothing with it: what the Network Server can do at most.
type Reader struct {
	Listen string // where its numbers are; nothing listens there before it is connected
	NS     string // host:port
	Flood  Flood
}

// Run reads the flood, then waits for ctx to end.
func (r Reader) Run(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.NS)
	if err != nil {
		return fmt.Errorf("connect to the Network Server: %w", err)
	}
	defer conn.Close()
	in, err := upgrade(conn, r.NS)
	if err != nil {
		return fmt.Errorf("connect to the Network Server on %s: %w", r.NS, err)
	}
	var received atomic.Uint64
	return show(ctx, r.Listen, []number{{ReaderReceived, &received}}, func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		if err := r.read(in, &received); err != nil && ctx.Err() == nil {
			return fmt.Errorf("read frame %d: %w", received.Load()+1, err)
		}
		<-ctx.Done()
		return nil
	})
}

// upgrade makes the connection a WebSocket of the Data API (RFC 6455 §4.1) and returns what is to be read from it.
func upgrade(conn net.Conn, host string) (*bufio.Reader, error) {
	u := url.URL{Scheme: "http", Host: host, Path: simulator.DataPath, RawQuery: "access_token=bench"}
	request, err := http.NewRequest(http.MethodGet, u.String(), http.NoBody) //nolint:noctx // the connection is there, and ends with its owner's context
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {base64.StdEncoding.EncodeToString(make([]byte, 16))},
	}
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(conn, readerBuffer)
	response, err := http.ReadResponse(in, request)
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil { // it is empty
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("no upgrade: %s", response.Status)
	}
	return in, nil
}

// read counts text frames until it has all.
func (r Reader) read(in *bufio.Reader, received *atomic.Uint64) error {
	for received.Load() < r.Flood.Frames {
		opcode, length, err := readHeader(in)
		if err != nil {
			return err
		}
		if _, err := in.Discard(length); err != nil {
			return err
		}
		switch opcode {
		case opText:
			if length != r.Flood.Size {
				return fmt.Errorf("it has %d bytes, and the flood's have %d", length, r.Flood.Size)
			}
			received.Add(1)
		case opClose:
			return errors.New("the Network Server has closed the connection")
		}
	}
	return nil
}

// The opcodes of RFC 6455 §5.2 that matter here.
const (
	opText  = 0x1
	opClose = 0x8
)

// readHeader reads the header of a WebSocket frame from a server, which is not masked (RFC 6455 §5.2).
func readHeader(in *bufio.Reader) (opcode byte, length int, err error) {
	var header [10]byte
	if _, err := io.ReadFull(in, header[:2]); err != nil {
		return 0, 0, err
	}
	opcode, length = header[0]&0xf, int(header[1])
	switch {
	case length > 127:
		return 0, 0, errors.New("a masked frame came")
	case length == 126:
		_, err = io.ReadFull(in, header[:2])
		length = int(binary.BigEndian.Uint16(header[:]))
	case length == 127:
		_, err = io.ReadFull(in, header[:8])
		length = int(binary.BigEndian.Uint64(header[:]))
	}
	return opcode, length, err
}
