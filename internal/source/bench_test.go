package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// uplink returns a message like the Network Server's, padded to size bytes.
func uplink(n, size int) string {
	m := fmt.Sprintf(`{"type":"uplink","meta":{"network":"000000000000000000000000","packet_hash":"%032x","packet_id":"%032x",`+
		`"application":"70b3d57ed0000001","device":"%016x","device_addr":"%08x","gateway":"70b3d57ed0000002",`+
		`"time":1700000000.%06d,"tags":["a"]},"params":{"rx_time":1700000000.1234567,"port":1,"counter_up":%d,"payload":"`,
		n, n+1, n, n, n%1e6, n)
	const end = `","encrypted_payload":"","duplicate":false}}`
	return m + strings.Repeat("A", max(0, size-len(m)-len(end))) + end
}

// textFrame is a server's unfragmented text message on the wire (RFC 6455 §5.2).
func textFrame(payload string) []byte {
	switch n := len(payload); {
	case n < 126:
		return append([]byte{0x81, byte(n)}, payload...)
	case n < 1<<16:
		return append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(n)), payload...)
	default:
		return append(binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(n)), payload...)
	}
}

// BenchmarkSession reads a flood of prebuilt messages over loopback TCP.
func BenchmarkSession(b *testing.B) {
	for _, size := range []int{560, 4000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			var flood bytes.Buffer
			for n := 0; flood.Len() < 256<<10; n++ {
				flood.Write(textFrame(uplink(n, size)))
			}
			o := listen(b, upgrade(func(p *peer) {
				for {
					if _, err := p.NetConn().Write(flood.Bytes()); err != nil {
						return
					}
				}
			}))
			s := open(b, o)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			batches, frames := 0, 0
			for b.Loop() {
				if frames > 0 {
					frames--
					continue
				}
				got, err := s.Read(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				frames = len(got) - 1
				batches++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
			b.ReportMetric(float64(b.N)/float64(batches), "frames/read")
		})
	}
}
