package part

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// txDelay is tx_time − meta.time of a downlink_request, as in production.
const txDelay = 5 * time.Second

// timed is a message that says when it was sent.
type timed struct {
	raw   []byte
	stamp func(sent time.Time) // writes that into raw
}

// messages returns what makes the pace's messages by number.
func (p *Pace) messages(f *Flood) (func(number uint64) timed, error) {
	switch p.Type {
	case dataapi.Uplink:
		return timedUplinks(f)
	case dataapi.DownlinkRequest:
		return timedRequests(f)
	case dataapi.DownlinkResponse:
		return timedResponses(f, p.Frames)
	default:
		return nil, fmt.Errorf("there is no timed message of type %q", p.Type)
	}
}

// timedUplinks are those of the flood, but for meta.time.
func timedUplinks(f *Flood) (func(number uint64) timed, error) {
	some := *f
	some.Frames = max(some.Frames, 1) // else there were no flood
	ns, err := some.networkServer()
	if err != nil {
		return nil, err
	}
	return func(number uint64) timed {
		raw := ns.FloodFrame(number)
		return timed{raw, func(sent time.Time) { putUnix(raw, "time", sent) }}
	}, nil
}

// timedRequests are downlink_requests of the flood's devices, with their number as counter_down.
func timedRequests(f *Flood) (func(number uint64) timed, error) {
	ns, err := f.networkServer()
	if err != nil {
		return nil, err
	}
	devices := ns.Devices()
	return func(number uint64) timed {
		device := devices[number%uint64(len(devices))]
		raw := fmt.Appendf(nil, `{"type":"downlink_request","meta":{"network":"5a1e0b6e","packet_hash":"%032x","packet_id":"%032x",`+
			`"application":"70b3d57ed0000000","device":%q,"device_addr":"%08x","gateway":"b827ebfffe000001","time":%s},`+
			`"params":{"tx_time":%s,"counter_down":%d,"max_size":51}}`,
			number<<8, number, device, number%uint64(len(devices)), unixRoom, unixRoom, number)
		return timed{raw, func(sent time.Time) {
			putUnix(raw, "time", sent)
			putUnix(raw, "tx_time", sent.Add(txDelay))
		}}
	}, nil
}

// timedResponses answer the requests that are open at a [Desk], the first by number 1, with their number and time as
// the payload.
func timedResponses(f *Flood, count uint64) (func(number uint64) timed, error) {
	_, requests, err := openDesk(f, count)
	if err != nil {
		return nil, err
	}
	metas := make([]json.RawMessage, len(requests))
	for i, request := range requests {
		var m struct {
			Meta json.RawMessage `json:"meta"`
		}
		if err := json.Unmarshal(request, &m); err != nil {
			return nil, fmt.Errorf("read downlink_request %d: %w", i+1, err)
		}
		metas[i] = m.Meta
	}
	return func(number uint64) timed {
		raw := fmt.Appendf(nil, `{"type":"downlink_response","meta":%s,"params":{"payload":`, metas[number-1])
		at := len(raw) + 1
		raw = fmt.Appendf(raw, `"%s","port":1}}`, payload(number, time.Time{}))
		return timed{raw, func(sent time.Time) { copy(raw[at:], payload(number, sent)) }}
	}, nil
}

// payload is a number and a time, in base64, always as long.
func payload(number uint64, sent time.Time) string {
	plain := binary.BigEndian.AppendUint64(nil, number)
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(plain, uint64(sent.UnixMicro())))
}

// unixRoom is as long as Unix seconds with six decimals are until 2286.
const unixRoom = "1000000000.000000"

// putUnix writes a time where the message has one of the same length under the key.
func putUnix(raw []byte, key string, t time.Time) {
	key = `"` + key + `"`
	at := bytes.Index(raw, []byte(key)) + len(key)
	at += bytes.IndexAny(raw[at:], "0123456789")
	copy(raw[at:at+len(unixRoom)], fmt.Sprintf("%010d.%06d", t.Unix(), t.Nanosecond()/1000))
}

// errNotTimed says that a message carries no number or no time.
var errNotTimed = errors.New("it is no timed message")

// maxMicros is the greatest number of microseconds that a float64 can tell from the next, some 285 years.
const maxMicros = 1 << 53

// readStamp returns the number of a timed message, and when it was sent, in whole microseconds.
func readStamp(raw []byte) (number uint64, sent time.Time, err error) {
	e, err := dataapi.Scan(raw)
	if err != nil {
		return 0, time.Time{}, err
	}
	micros := e.Meta.Time * 1e6
	switch e.Type {
	case dataapi.Uplink:
		number, err = simulator.FloodNumber(raw)
	case dataapi.DownlinkRequest:
		number, err = readCounter(raw)
	case dataapi.DownlinkResponse:
		number, micros, err = readPayload(raw)
	default:
		err = errNotTimed
	}
	if err == nil && (number == 0 || micros < 1 || micros > maxMicros) {
		err = errNotTimed
	}
	if err != nil {
		return 0, time.Time{}, err
	}
	return number, time.UnixMicro(int64(math.Round(micros))), nil
}

func readCounter(raw []byte) (number uint64, err error) {
	var m struct {
		Params struct {
			Counter uint64 `json:"counter_down"`
		} `json:"params"`
	}
	err = json.Unmarshal(raw, &m)
	return m.Params.Counter, err
}

func readPayload(raw []byte) (number uint64, micros float64, err error) {
	var m struct {
		Params struct {
			Payload []byte `json:"payload"`
		} `json:"params"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return 0, 0, err
	}
	plain := m.Params.Payload
	if len(plain) != 16 {
		return 0, 0, errNotTimed
	}
	return binary.BigEndian.Uint64(plain), float64(binary.BigEndian.Uint64(plain[8:])), nil
}
