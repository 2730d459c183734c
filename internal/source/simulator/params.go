package simulator

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// meta is the message's `meta`, with what its type has and without what it lacks.
func (w *world) meta(m *message, v view) node {
	kids := make([]node, 0, 10)
	if m.hasGateway() {
		kids = append(kids, str("network", w.network), str("packet_hash", packetHash(m.packet)),
			str("packet_id", packetID(m.packet, v.copy)), str("gateway", w.gatewayOf(m.packet, v.copy)))
	}
	if m.device != nil {
		kids = append(kids, str("application", m.device.joinEUI), str("device", m.device.eui))
		if m.kind != dataapi.JoinRequest {
			kids = append(kids, str("device_addr", hex(uint64(m.addr), 8)))
		}
		if len(m.device.tags) > 0 {
			tags := make([]node, len(m.device.tags))
			for i, tag := range m.device.tags {
				tags[i] = str("", tag)
			}
			kids = append(kids, list("tags", tags...))
		}
	}
	return obj("meta", append(kids, raw("time", unix(m.timeOf(v.copy))))...)
}

// params is the message's `params`.
func (w *world) params(m *message, v view) []node {
	r := chance(m.seed, chanceContent)
	switch m.kind {
	case dataapi.Uplink:
		return w.uplink(r, m, v)
	case dataapi.DownlinkRequest:
		return []node{
			raw("tx_time", unix(m.tx)), whole("counter_down", uint64(m.count)),
			whole("max_size", uint64(maxSize(m))),
		}
	case dataapi.Downlink:
		return w.downlink(r, m, v)
	case dataapi.JoinRequest:
		kids := []node{
			str("dev_eui", m.device.eui), str("dev_addr", hex(uint64(m.addr), 8)),
			str("dev_nonce", hex(r.Uint64(), 4)), str("net_id", hex(uint64(m.addr>>25), 6)),
		}
		if r.IntN(2) == 0 {
			kids = append(kids, str("cf_list", hex(r.Uint64(), 16)+hex(r.Uint64(), 16)))
		}
		return kids
	case dataapi.Status, dataapi.StatusResponse:
		return []node{
			whole("battery", r.Uint64N(256)), decimal(r, "snr", float64(r.IntN(64)-32), 0), w.rxTime(r, m, v),
		}
	case dataapi.Location:
		return []node{list("solutions", solutions(r)...)}
	default: // info, warning, error
		kids := []node{str("message", m.text)}
		if m.code != 0 {
			kids = append(kids, whole("code", uint64(m.code)))
		}
		return kids
	}
}

func (w *world) uplink(r *rand.Rand, m *message, v view) []node {
	plain := m.payload
	if plain == nil {
		plain = someBytes(r, 4+r.IntN(37))
	}
	kids := []node{
		w.rxTime(r, m, v), whole("port", uint64(m.port)), whole("counter_up", uint64(m.count)),
		str("encrypted_payload", base64.StdEncoding.EncodeToString(encrypt(r, plain))),
		raw("duplicate", strconv.FormatBool(v.copy > 0)),
	}
	// The NS knows the payload only where it holds the AppSKey.
	if m.payload != nil || m.device.seed%8 != 0 {
		kids = append(kids, str("payload", base64.StdEncoding.EncodeToString(plain)))
	}
	return append(kids, w.blocks(m, v, len(plain))...)
}

func (w *world) downlink(r *rand.Rand, m *message, v view) []node {
	kids := []node{whole("counter_down", uint64(m.count)), whole("port", uint64(m.port))}
	size := 0
	switch a := m.answer; {
	case a == nil: // a bare acknowledgement of a confirmed uplink
		kids = append(kids, str("encrypted_payload", ""))
	case a.encrypted != "":
		size = len(a.encrypted) * 3 / 4
		kids = append(kids, str("encrypted_payload", a.encrypted))
	default:
		size = len(a.payload) * 3 / 4
		secret := base64.StdEncoding.EncodeToString(someBytes(r, size))
		kids = append(kids, str("payload", a.payload), str("encrypted_payload", secret))
	}
	return append(kids, w.blocks(m, v, size)...)
}

// maxSize is the most that the device's data rate lets a downlink carry (EU868, LoRaWAN RP002-1.0.3 §2.4.6, N).
func maxSize(m *message) int { return []int{51, 51, 51, 115, 222, 222}[dataRate(m)] }

func dataRate(m *message) int { return int(mix(m.packet.hash[0]) % 6) }

// rxTime is when the gateway received the packet, some ten milliseconds before the NS: 16 or 17 significant digits,
// one more than a float64 keeps.
func (w *world) rxTime(r *rand.Rand, m *message, v view) node {
	extra := ""
	if r.IntN(2) == 0 {
		extra = strconv.Itoa(1 + r.IntN(9))
	}
	return raw("rx_time", unixFull(m.timeOf(v.copy)-20_000-r.Int64N(180_000), extra))
}

func solutions(r *rand.Rand) []node {
	out := make([]node, 1+r.IntN(3))
	for i := range out {
		out[i] = obj("",
			decimal(r, "lat", r.Float64()*180-90, 7), decimal(r, "lng", r.Float64()*360-180, 7),
			decimal(r, "quality", r.Float64(), 2), decimal(r, "precision", r.Float64()*500, 0),
			str("method", []string{"tdoa", "rssi", "gps"}[r.IntN(3)]))
	}
	return out
}

func someBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

func encrypt(r *rand.Rand, plain []byte) []byte {
	b := someBytes(r, len(plain))
	for i := range b {
		b[i] ^= plain[i]
	}
	return b
}

func whole(key string, v uint64) node { return raw(key, strconv.FormatUint(v, 10)) }

// decimal rounds to the places. A whole number is written now as an int, now as a float.
func decimal(r *rand.Rand, key string, v float64, places int) node {
	scale := math.Pow10(places)
	v = math.Round(v*scale)/scale + 0 // + 0: no negative zero
	asFloat := r.IntN(2) == 0
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if v == math.Trunc(v) && asFloat {
		text += ".0"
	}
	return raw(key, text)
}

// unixFull writes microseconds as Unix seconds with six digits after the point, and the extra ones.
func unixFull(micros int64, extra string) string {
	sign := ""
	if micros < 0 {
		sign, micros = "-", -micros
	}
	fraction := strconv.FormatInt(1_000_000+micros%1_000_000, 10)[1:]
	return sign + strconv.FormatInt(micros/1_000_000, 10) + "." + fraction + extra
}

// unix writes them without trailing zeros, and a whole second as an int.
func unix(micros int64) string {
	s := unixFull(micros, "")
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}
