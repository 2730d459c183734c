package simulator

import (
	"crypto/tls"
	"maps"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Arrivals names how frames are spread over time.
type Arrivals string

// The ways in which frames are spread over time. Both keep to [Config.Rate] on average.
const (
	ArrivalsBySeed Arrivals = ""        // one of the two, as the seed has it
	Poisson        Arrivals = "poisson" // as devices that know nothing of each other do
	Even           Arrivals = "even"    // one every 1/Rate
)

// Config describes an NS. Its zero value is complete: ten devices that speak only when told to by [NS.Emit], any
// access token, no filters.
type Config struct {
	// Seed decides everything that is not configured: identities, contents, key order, spacing, chance.
	Seed uint64
	// Devices is the number of devices; 0 stands for 10.
	Devices int
	// Gateways is the number of gateways; 0 stands for 4. An uplink is heard by one to three of them.
	Gateways int
	// StuckCounters is the number of devices whose FCntUp never moves, so that new data repeats a packet_hash; 0
	// stands for one in twenty devices, a negative number for none.
	StuckCounters int

	// Rate is the number of messages a second over all devices; 0: only [NS.Emit] generates.
	Rate float64
	// Arrivals spreads them over time.
	Arrivals Arrivals
	// Mix gives each NS→AS type its share of the messages, relative to the others; nil stands for [DefaultMix].
	Mix map[dataapi.Type]float64
	// StatusType is the type of the answer to a status_request: status_response, status, or empty for either as
	// the seed has it.
	StatusType dataapi.Type
	// TxDelay is tx_time − meta.time of a downlink_request; 0 stands for 5 s (production; the documents say 1 s).
	TxDelay time.Duration
	// TimeSkew bounds how far meta.time of different types may run apart; 0 stands for 40 ms. Within one type
	// meta.time never runs backwards unless Now does.
	TimeSkew time.Duration
	// Now is the NS's own clock, for meta.time, history and tx_time; nil stands for time.Now. Timers run on the
	// time package's clock: whoever sets Now keeps the two in step, or expects no downlink to be transmitted.
	Now func() time.Time

	// Tokens are the access tokens accepted; empty: any token that is not empty.
	Tokens []string
	// Filters are the filters that clients name by id. An id that is not here is answered by 404, unless there is one
	// of the id [AnyFilter].
	Filters map[string]Filter
	// TLS, when set, makes [NS.Start] serve wss:// and https:// with it.
	TLS *tls.Config
	// PongInterval is the time between unsolicited PONGs; 0 stands for 25 s.
	PongInterval time.Duration
	// QueueLimit is the number of frames that may wait for a client which does not read; 0 stands for 65 536.
	// Beyond it the client is dropped with close code 1013, as it can ask for the rest by from_unixtime.
	QueueLimit int

	// History is what the NS remembers.
	History History
	// Faults are the chances of misbehaviour; the zero value behaves.
	Faults Faults
	// Flood, when its Size is set, replaces generated traffic by numbered frames.
	Flood Flood
	// Record bounds how many messages and how many sent frames, with their bytes, the ledger keeps; beyond it the
	// oldest go. 0: none. Downlinks received are kept in any case, the last 10 000 of them.
	Record int
	// Witness, when set, is told of all that without a bound.
	Witness Witness
	// Log gets one Info for each connect, disconnect and fault, and Debug for each downlink. The zero value is
	// silent.
	Log zerolog.Logger
}

// History says what the NS remembers, for how long, and how it is replayed.
type History struct {
	// Retention is how long uplink and downlink are replayed over the WebSocket; 0 stands for 48 h.
	Retention time.Duration
	// RetentionOther is the same for every other type; 0 stands for 1 h.
	RetentionOther time.Duration
	// Archive is how long uplink and downlink are kept for the REST source; 0 stands for 30 days.
	Archive time.Duration
	// ArchiveDelay is the age at which a message becomes visible to the REST source; 0 stands for 30 s.
	ArchiveDelay time.Duration
	// MaxMessages bounds the memory: beyond it the oldest message is forgotten, whatever its age. 0 stands for
	// 100 000, at about 300 bytes each.
	MaxMessages int
	// ReplayDelay passes between connect and the first replayed message.
	ReplayDelay time.Duration
	// ReplayRate bounds the replayed messages per second; 0: as fast as the client reads.
	ReplayRate float64
	// Overlap selects what is replayed at the end of ReplayDelay instead of at connect, so that the messages of
	// the delay come twice: live and replayed.
	Overlap bool
	// Reshuffle gives a replayed message another key order and spacing than it had when it was live.
	Reshuffle bool
}

// Faults are chances, 0 to 1, rolled for each frame about to be sent (Refuse: for each connect).
type Faults struct {
	Drop     float64       // the connection ends
	DropHow  Drop          // how it does; the zero value resets it
	Stall    float64       // the stream falls silent, PONGs included
	StallFor time.Duration // for how long; 0 stands for 60 s
	Disorder float64       // the frame is overtaken by later ones
	Window   int           // by how many at most; 0 stands for 4
	Repeat   float64       // the frame is sent twice
	Garbage  float64       // a frame that is no Data API message precedes it
	Refuse   float64       // the connect is answered by 503
}

// DefaultMix is the share of each type when [Config.Mix] says nothing. Info, warning, downlink and downlink_request
// belong to the uplink before them.
func DefaultMix() map[dataapi.Type]float64 {
	return map[dataapi.Type]float64{
		dataapi.Uplink: 100, dataapi.DownlinkRequest: 15, dataapi.Downlink: 2, dataapi.JoinRequest: 2,
		dataapi.StatusResponse: 3, dataapi.Location: 3, dataapi.Info: 3, dataapi.Warning: 2, dataapi.Error: 1,
	}
}

func orElse[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

// complete returns the configuration with every default written out.
func (c Config) complete() Config {
	c.Devices = orElse(c.Devices, 10)
	c.Gateways = orElse(c.Gateways, 4)
	c.StuckCounters = orElse(c.StuckCounters, c.Devices/20)
	c.TxDelay = orElse(c.TxDelay, 5*time.Second)
	c.TimeSkew = orElse(c.TimeSkew, 40*time.Millisecond)
	c.PongInterval = orElse(c.PongInterval, 25*time.Second)
	c.QueueLimit = orElse(c.QueueLimit, 1<<16)
	c.History.Retention = orElse(c.History.Retention, 48*time.Hour)
	c.History.RetentionOther = orElse(c.History.RetentionOther, time.Hour)
	c.History.Archive = orElse(c.History.Archive, 30*24*time.Hour)
	c.History.ArchiveDelay = orElse(c.History.ArchiveDelay, 30*time.Second)
	c.History.MaxMessages = orElse(c.History.MaxMessages, 100_000)
	c.Faults.StallFor = orElse(c.Faults.StallFor, time.Minute)
	c.Faults.Window = orElse(c.Faults.Window, 4)
	c.Flood.Batch = orElse(c.Flood.Batch, 128)
	if c.Mix == nil {
		c.Mix = DefaultMix()
	}
	c.Mix = maps.Clone(c.Mix)
	c.Filters = maps.Clone(c.Filters)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
