package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// Bounds of the HTTP server: a client that is slow or sends too much is cut off.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	stopTimeout    = 5 * time.Second
)

// Options configures a Server.
type Options struct {
	Listen  string      // host:port; port 0 takes a free one
	TLS     *tls.Config // nil: plain HTTP
	Tokens  []Token     // none: open to whoever reaches the address
	Metrics http.Handler
	Ready   func() error // nil when the node can do its work; any goroutine calls it
	Log     zerolog.Logger
	// Rate and Burst bound the requests a second of one bearer; 0: 200 and 1000.
	Rate  float64
	Burst int
}

// Server is the node's HTTP server. Start it once, then Stop it once.
type Server struct {
	options  Options
	rates    *rates
	failures *rates // of those who have no token
	service  atomic.Pointer[Service]
	ending   context.Context //nolint:containedctx // ends what would go on for ever, such as a log that is followed
	end      context.CancelFunc
	http     *http.Server
	listener net.Listener
	failed   chan error
}

// New makes a server that does not listen yet.
func New(o Options) *Server {
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.Burst == 0 {
		o.Burst = defaultBurst
	}
	s := &Server{options: o, rates: newRates(o.Rate, o.Burst), failures: newRates(failedRate, failedBurst), failed: make(chan error, 1)}
	s.ending, s.end = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.guarded(s.unrestricted(o.Metrics)))
	s.manage(mux)
	s.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(telemetry.NewSlog(o.Log).Handler(), slog.LevelWarn),
	}
	return s
}

// Serve gives the management API what it works on; until then it answers 503.
func (s *Server) Serve(service Service) { s.service.Store(&service) }

// Start listens and serves. Its error is that of listening.
func (s *Server) Start() error {
	listener, err := net.Listen("tcp", s.options.Listen)
	if err != nil {
		return fmt.Errorf("http.listen: %w (is another lorry running? choose another address, or port 0 for a free one)", err)
	}
	s.serve(listener)
	return nil
}

func (s *Server) serve(listener net.Listener) {
	s.listener = listener
	if s.options.TLS != nil {
		listener = tls.NewListener(listener, s.options.TLS)
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve HTTP on %s: %w", listener.Addr(), err)
		}
	}()
}

// Failed brings an error if the server ends other than by Stop.
func (s *Server) Failed() <-chan error { return s.failed }

// Address is the host:port that the server listens on; empty before Start.
func (s *Server) Address() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Stop finishes the requests under way, for a short time, and ends the server. Clients that are not done by then are
// cut off, which is no error.
func (s *Server) Stop() error {
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.options.Log.Warn().Dur("waited", stopTimeout).Msg("http clients cut off in the middle of a request")
		err = s.http.Close()
	}
	if err != nil {
		return fmt.Errorf("stop serving HTTP on %s: %w", s.Address(), err)
	}
	return nil
}
