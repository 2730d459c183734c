package dataapi_test

import (
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestARequestExpiresByTheTimeThatItHadWhenItCame(t *testing.T) {
	const received = 5_000 // seconds of our clock: nowhere near the Network Server's
	for name, c := range map[string]struct {
		raw     string
		expires float64 // seconds after it was received; negative: never
	}{
		"request":         {`{"type":"downlink_request","meta":{"time":1000.25},"params":{"tx_time":1005.25}}`, 5},
		"already late":    {`{"type":"downlink_request","meta":{"time":1000},"params":{"tx_time":999}}`, 0},
		"replayed":        {`{"type":"downlink_request","meta":{"time":1000,"history":true},"params":{"tx_time":1005}}`, 0},
		"without tx_time": {`{"type":"downlink_request","meta":{"time":1000}}`, -1},
		"without time":    {`{"type":"downlink_request","params":{"tx_time":1005}}`, -1},
		"far future":      {`{"type":"downlink_request","meta":{"time":1},"params":{"tx_time":1e9}}`, 1e9 - 1},
		"uplink":          {`{"type":"uplink","meta":{"time":1000,"history":true},"params":{"tx_time":1}}`, -1},
	} {
		envelope, err := dataapi.Scan([]byte(c.raw))
		if err != nil {
			t.Fatal(err)
		}
		f := dataapi.Frame{Raw: []byte(c.raw), Envelope: envelope, Received: time.Unix(received, 0)}
		if c.expires < 0 {
			if f.Expired(f.Received.AddDate(100, 0, 0)) {
				t.Errorf("%s: it expires", name)
			}
			continue
		}
		at := f.Received.Add(time.Duration(c.expires * float64(time.Second)))
		if c.expires > 0 && f.Expired(at.Add(-time.Millisecond)) || !f.Expired(at) {
			t.Errorf("%s: does not expire %v s after it was received", name, c.expires)
		}
	}
}
