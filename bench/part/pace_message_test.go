package part

import (
	"bytes"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

var timedFlood = Flood{Size: 560, Epoch: 1_700_000_000}

// messagesOf makes the first timed messages of a type, stamped with microseconds that differ.
func messagesOf(t testing.TB, kind dataapi.Type, count uint64) (messages [][]byte, sent []time.Time) {
	t.Helper()
	p := Pace{Rate: 1, Type: kind, Frames: count}
	next, err := p.messages(&timedFlood)
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= count; n++ {
		m := next(n)
		at := time.Unix(1_800_000_000, int64(n)*1_001_000+999)
		m.stamp(at)
		messages, sent = append(messages, m.raw), append(sent, at.Truncate(time.Microsecond))
	}
	return messages, sent
}

func TestTimedMessages(t *testing.T) {
	const count = 300 // more than there are devices, and templates of the flood
	for _, kind := range []dataapi.Type{dataapi.Uplink, dataapi.DownlinkRequest, dataapi.DownlinkResponse} {
		messages, sent := messagesOf(t, kind, count)
		identities, devices := map[dataapi.Identity]bool{}, map[string]bool{}
		for i, raw := range messages {
			e, err := dataapi.Scan(raw)
			if err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if e.Type != kind || len(e.Meta.Device) != 16 {
				t.Fatalf("it is no %s: %s", kind, raw)
			}
			if kind == dataapi.Uplink && len(raw) != timedFlood.Size {
				t.Fatalf("%d bytes: %s", len(raw), raw)
			}
			identity, err := dataapi.Identify(raw)
			if err != nil {
				t.Fatal(err)
			}
			identities[identity], devices[string(e.Meta.Device)] = true, true
			number, at, err := readStamp(raw)
			if err != nil || number != uint64(i)+1 || !at.Equal(sent[i]) {
				t.Fatalf("number %d, sent %v, %v; want %d, %v: %s", number, at, err, i+1, sent[i], raw)
			}
		}
		if len(identities) != count || len(devices) < 10 {
			t.Errorf("%d %ss have %d identities and %d devices", count, kind, len(identities), len(devices))
		}
	}
}

// TestTimedRequestsAreInTime checks that there is time to answer them.
func TestTimedRequestsAreInTime(t *testing.T) {
	messages, sent := messagesOf(t, dataapi.DownlinkRequest, 3)
	for i, raw := range messages {
		e, err := dataapi.Scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		f := dataapi.Frame{Raw: raw, Envelope: e, Received: sent[i]}
		if f.Expired(sent[i].Add(txDelay-time.Millisecond)) || !f.Expired(sent[i].Add(txDelay+time.Millisecond)) {
			t.Errorf("it does not expire %v after it was sent: %s", txDelay, raw)
		}
	}
}

func TestReadStampOfWhatHasNone(t *testing.T) {
	for _, raw := range []string{
		"", "{}", `{"type":"location","meta":{"time":1700000000.5}}`,
		`{"type":"uplink","meta":{"time":1700000000.5},"params":{"counter_up":7}}`,
		`{"type":"uplink","meta":{"time":0},"params":{"counter_up":1000000007}}`,
		`{"type":"uplink","meta":{"time":-5},"params":{"counter_up":1000000007}}`,
		`{"type":"uplink","meta":{"time":1e300},"params":{"counter_up":1000000007}}`,
		`{"type":"downlink_request","meta":{"time":1700000000.5},"params":{}}`,
		`{"type":"downlink_request","meta":{"time":1700000000.5},"params":{"counter_down":-1}}`,
		`{"type":"downlink_request","params":{"counter_down":1}}`,
		`{"type":"downlink_response","meta":{"time":1700000000.5},"params":{"payload":"AAAA","counter_down":1}}`,
		`{"type":"downlink_response","params":{"payload":"AAAAAAAAAAAAAAAAAAAAAA=="}}`,
	} {
		if number, sent, err := readStamp([]byte(raw)); err == nil {
			t.Errorf("%s: number %d, sent %v", raw, number, sent)
		}
	}
}

// FuzzReadStamp checks that whatever is read can be written and read again.
func FuzzReadStamp(f *testing.F) {
	for _, kind := range []dataapi.Type{dataapi.Uplink, dataapi.DownlinkRequest, dataapi.DownlinkResponse} {
		messages, _ := messagesOf(f, kind, 2)
		f.Add(messages[0])
		f.Add(bytes.ToUpper(messages[1]))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		number, sent, err := readStamp(raw)
		if err != nil {
			return
		}
		if number == 0 || sent.UnixMicro() < 1 || sent.UnixMicro() > maxMicros {
			t.Fatalf("number %d, sent %d: %q", number, sent.UnixMicro(), raw)
		}
		again := []byte(`{"type":"downlink_response","params":{"payload":"` + payload(number, sent) + `"}}`)
		if n, at, err := readStamp(again); err != nil || n != number || !at.Equal(sent) {
			t.Fatalf("%d at %v became %d at %v: %v", number, sent, n, at, err)
		}
	})
}
