package simulator

import (
	"math/rand/v2"
	"strconv"
)

// The independent streams of chance that one seed feeds (the second half of PCG's state). What a client does must
// not change what the devices do, hence reactions have a stream of their own.
const (
	chanceWorld uint64 = iota + 1
	chanceTraffic
	chanceReactions
	chanceArrivals
	chanceConnects
	chanceStream  // with the stream's id
	chanceContent // with the message's seed instead of the NS's
	chanceRadio   // likewise, and the copy's number
	chanceStyle   // likewise
)

func chance(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) } //nolint:gosec // repeatable is what it has to be

// mix spreads its arguments over 64 bits: the finaliser of SplitMix64, once for each.
func mix(values ...uint64) uint64 {
	h := uint64(0)
	for _, v := range values {
		h += v + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// hex writes the lowest digits of v, in lower case as the NS does.
func hex(v uint64, digits int) string {
	s := strconv.FormatUint(v, 16)
	for len(s) < digits {
		s = "0" + s
	}
	return s[len(s)-digits:]
}

// device is an end device. Its identity never changes; the rest is touched under the NS's lock only.
type device struct {
	eui     string // DevEUI
	joinEUI string
	tags    []string
	seed    uint64
	stuck   bool // FCntUp does not move

	addr   uint32 // DevAddr
	up     uint32 // the next FCntUp
	down   uint32 // the next FCntDown
	last   *packet
	queued []*answer // late responses that wait for the next downlink_request
}

// packet is one radio packet: what its uplink, info, warning, downlink_request and downlink have in common.
type packet struct {
	id        [2]uint64 // packet_id of the first copy
	hash      [2]uint64 // packet_hash
	gateway   int       // index of the gateway that heard it best
	copies    int       // how many gateways heard it
	requested bool      // a downlink_request was generated for it
	told      bool      // an info or a warning was
	answered  bool      // a downlink was
}

// world is everything that the seed alone decides.
type world struct {
	network  string
	gateways []string
	devices  []*device
	byEUI    map[string]*device
}

// orgEUI begins every EUI-64: one organisation's block (IEEE MA-S), as in most networks.
const orgEUI = 0x70b3d5 << 40

func newWorld(cfg Config) *world {
	r := chance(cfg.Seed, chanceWorld)
	w := &world{network: hex(r.Uint64(), 8), byEUI: make(map[string]*device, cfg.Devices)}
	block := orgEUI | r.Uint64N(1<<12)<<28
	for i := range cfg.Gateways {
		w.gateways = append(w.gateways, hex(orgEUI|r.Uint64N(1<<12)<<28|uint64(i)<<8|r.Uint64N(1<<8), 16))
	}
	applications := make([]string, 1+cfg.Devices/100)
	for i := range applications {
		applications[i] = hex(r.Uint64(), 16)
	}
	netID := r.Uint32N(1 << 6)
	for i := range cfg.Devices {
		d := &device{
			eui:     hex(block|uint64(i)<<8|r.Uint64N(1<<8), 16),
			joinEUI: applications[r.IntN(len(applications))],
			tags:    someTags(r), seed: r.Uint64(),
			addr: devAddr(netID, r.Uint32()), up: r.Uint32N(1 << 14), down: r.Uint32N(1 << 10),
		}
		w.devices = append(w.devices, d)
		w.byEUI[d.eui] = d
	}
	for _, i := range r.Perm(cfg.Devices)[:max(cfg.StuckCounters, 0)] {
		w.devices[i].stuck = true
	}
	return w
}

// devAddr puts a 25-bit NwkAddr under the type-0 AddrPrefix of the network (LoRaWAN 1.0.4 §6.1.1).
func devAddr(netID, nwkAddr uint32) uint32 { return netID<<25 | nwkAddr&(1<<25-1) }

var tagNames = []string{"meter", "roof", "Zürich", "batch 7", "field/test", "gas", "priority"}

func someTags(r *rand.Rand) (tags []string) {
	if r.IntN(2) == 0 {
		return nil
	}
	for _, i := range r.Perm(len(tagNames))[:1+r.IntN(3)] {
		tags = append(tags, tagNames[i])
	}
	return tags
}

// gatewayOf names the gateway of a packet's copy.
func (w *world) gatewayOf(p *packet, number int) string {
	return w.gateways[(p.gateway+number)%len(w.gateways)]
}

// packetID is the packet_id of a packet's copy; each gateway's copy has one of its own.
func packetID(p *packet, number int) string {
	if number == 0 {
		return hex(p.id[0], 16) + hex(p.id[1], 16)
	}
	return hex(mix(p.id[0], uint64(number)), 16) + hex(mix(p.id[1], uint64(number)), 16)
}

func packetHash(p *packet) string { return hex(p.hash[0], 16) + hex(p.hash[1], 16) }
