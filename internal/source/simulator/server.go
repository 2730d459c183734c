package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"
)

// The paths that an NS serves.
const (
	DataPath    = "/api/v1.0/data"
	HistoryPath = "/api/v1.0/history/data"
)

// handshakeTimeout is how long a client may take to read the answer to its upgrade.
const handshakeTimeout = 5 * time.Second

// NS is one simulated Network Server. It serves from [NS.Start] to [NS.Close] and may be started again, with all its
// history; or it is used as an http.Handler alone, and then generates on [NS.Emit] only. Its methods may be called
// from any goroutine.
type NS struct {
	cfg      Config
	log      zerolog.Logger
	filters  map[string]sieve
	upgrader websocket.Upgrader
	flood    *floodPlan // nil: ordinary traffic
	counters counters
	ledger   ledger
	changes  changes

	mu      sync.Mutex // guards what follows; a stream's lock may be taken within it, never the reverse
	gen     *generator
	history history
	desk    desk
	streams map[uint64]*stream
	lastID  uint64
	refusal refusal
	closed  bool
	life    *life

	rate    *rateControl
	running sync.WaitGroup // streams, the listener and traffic
}

// New makes an NS; the error is the fault.List of [Config.Validate].
func New(cfg Config) (*NS, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("configure the Network Server simulator: %w", err)
	}
	cfg = cfg.complete()
	n := &NS{
		cfg: cfg, log: cfg.Log, filters: make(map[string]sieve, len(cfg.Filters)),
		upgrader: websocket.Upgrader{
			HandshakeTimeout: handshakeTimeout,
			CheckOrigin:      func(*http.Request) bool { return true }, // the token is the only guard, as at a real NS
			Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
				deny(w, status, reason.Error())
			},
		},
		ledger: newLedger(cfg.Record),
		gen:    newGenerator(cfg), history: history{cfg: cfg.History}, desk: newDesk(),
		streams: make(map[uint64]*stream),
	}
	n.refusal.r = chance(cfg.Seed, chanceConnects)
	for id, f := range cfg.Filters {
		n.filters[id] = f.compile()
	}
	if cfg.Flood.Size > 0 {
		n.flood = newFloodPlan(cfg, n.gen.world)
	}
	n.rate = newRateControl(cfg.Rate)
	return n, nil
}

// ServeHTTP serves [DataPath] and [HistoryPath]. Whatever goes wrong before the upgrade is answered by a status and a
// JSON object with the key `error`.
func (n *NS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !n.enter() {
		deny(w, http.StatusServiceUnavailable, "the Network Server is closed")
		return
	}
	defer n.running.Done()
	serve := n.serveData
	switch r.URL.Path {
	case DataPath:
	case HistoryPath:
		serve = n.serveArchive
	default:
		deny(w, http.StatusNotFound, "there is nothing here; the Data API is at "+DataPath)
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		deny(w, http.StatusMethodNotAllowed, "only GET is served here")
		return
	}
	if err := n.admit(r); err != nil {
		n.refuse(w, r, err)
		return
	}
	serve(w, r)
}

// enter counts a request among what Close waits for.
func (n *NS) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.running.Add(1)
	return true
}

// admit checks refusals on request, the access token, and that the query can be read at all.
func (n *NS) admit(r *http.Request) error {
	if status := n.refusing(); status != 0 {
		return &rejection{status, "refused on request: " + http.StatusText(status)}
	}
	token := r.URL.Query().Get("access_token")
	if token == "" || len(n.cfg.Tokens) > 0 && !slices.Contains(n.cfg.Tokens, token) {
		return &rejection{http.StatusUnauthorized, "access_token is missing or unknown"}
	}
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return malformed("the query cannot be read: %v", err)
	}
	return nil
}

func (n *NS) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if rej, ok := errors.AsType[*rejection](err); ok {
		status = rej.status
	}
	n.counters.refused.Add(1)
	n.log.Info().Str("remote", r.RemoteAddr).Int("status", status).Str("reason", err.Error()).Msg("client refused")
	deny(w, status, err.Error())
	n.changes.announce()
}

func deny(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": reason}) // a client that is gone needs no answer
}

func (n *NS) serveData(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query(), n.filters)
	if err != nil {
		n.refuse(w, r, err)
		return
	}
	if !websocket.IsWebSocketUpgrade(r) {
		n.refuse(w, r, malformed("this is where a WebSocket is had: ask for an upgrade (RFC 6455 §4.1)"))
		return
	}
	s := n.open(q, r.RemoteAddr)
	if s == nil {
		deny(w, http.StatusServiceUnavailable, "the Network Server is closed")
		return
	}
	defer n.end(s)
	conn, err := n.upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.because("upgrade: " + err.Error())
		return
	}
	s.serve(conn)
}

// open makes the stream known, before the client learns of it: whatever is generated once its dial has returned
// reaches it. What is replayed and what is live part at this very moment: no message falls between.
func (n *NS) open(q *query, remote string) *stream {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.lastID++
	s := newStream(n, n.lastID, q)
	if q.wantsHistory() && n.flood == nil {
		s.replay = &replay{starts: time.Now().Add(n.cfg.History.ReplayDelay), rate: n.cfg.History.ReplayRate}
		if !n.cfg.History.Overlap {
			s.replay.items, s.replay.loaded = n.owed(q), true
		}
	}
	n.streams[s.id] = s
	n.counters.connects.Add(1)
	n.ledger.opened(StreamInfo{ID: s.id, Remote: remote, Filter: q.filter, Opened: time.Now()})
	n.log.Info().Uint64("stream", s.id).Str("remote", remote).Str("filter", q.filter).Int("last_messages", q.last).
		Bool("from_unixtime", q.from >= 0).Msg("client connected")
	n.changes.announce()
	return s
}

// end forgets the stream: once it no longer counts as open, the ledger says how it ended.
func (n *NS) end(s *stream) {
	reason := s.reason()
	n.mu.Lock()
	n.ledger.ended(s.id, reason, s.sent.Load())
	delete(n.streams, s.id)
	n.mu.Unlock()
	n.log.Info().Uint64("stream", s.id).Str("reason", reason).Msg("client disconnected")
	n.changes.announce()
}

// owed lists what the query gets from history. The NS is locked.
func (n *NS) owed(q *query) []item { return n.history.replay(q, n.gen.gatewayOf, n.cfg.Now()) }

// publish hands a message to history, to the ledger, to every stream that it matches, and to the sender whatever it
// matches. The NS is locked.
func (n *NS) publish(m *message, sender *stream) {
	n.counters.generated.Add(1)
	if n.cfg.Record > 0 || n.cfg.Witness != nil {
		exported := n.gen.export(m)
		if n.cfg.Witness != nil {
			n.cfg.Witness.Generated(exported)
		}
		n.ledger.generated(exported)
	}
	if m.private == 0 {
		n.history.add(m)
		for _, s := range n.streams {
			items := expand(m, s.query, n.gen.gatewayOf)
			if len(items) == 0 && s == sender {
				items = []item{{m: m}}
			}
			s.offer(items)
		}
	} else if sender != nil {
		sender.offer([]item{{m: m}})
	}
	n.changes.announce()
}
