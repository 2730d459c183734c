package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"
)

// life is the time from Start to Close.
type life struct {
	addr     string
	own      bool // the listener is ours to open again
	listener net.Listener
	server   *http.Server
	stop     context.CancelFunc
	again    *time.Timer // listens again after a refusal
}

// Start listens on the address (TCP, "127.0.0.1:0" for any free port) and begins to generate at [Config.Rate]. After
// [NS.Close] it may be called again, with the same address or another; history, devices and ledger carry on.
func (n *NS) Start(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("start the simulated Network Server on %q: %w", addr, err)
	}
	if err := n.begin(l, true); err != nil {
		_ = l.Close()
		return err
	}
	return nil
}

// Serve is [NS.Start] on a listener of the caller's, in plain even if [Config.TLS] is set. Close closes it.
func (n *NS) Serve(l net.Listener) error { return n.begin(l, false) }

func (n *NS) begin(l net.Listener, own bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life != nil {
		return fmt.Errorf("start the simulated Network Server on %s: it runs on %s already", l.Addr(), n.life.addr)
	}
	ctx, stop := context.WithCancel(context.Background())
	n.closed = false
	n.life = &life{
		addr: l.Addr().String(), own: own, stop: stop,
		server: &http.Server{
			Handler: n, ReadHeaderTimeout: 10 * time.Second, ErrorLog: stdlog.New(n.log, "", 0),
		},
	}
	n.attach(l)
	if n.flood == nil {
		n.running.Go(func() { n.traffic(ctx) })
	}
	n.log.Info().Str("listen", n.life.addr).Msg("Network Server simulator started")
	return nil
}

// attach serves from the listener. The NS is locked.
func (n *NS) attach(l net.Listener) {
	served := l
	if n.life.own && n.cfg.TLS != nil {
		config := n.cfg.TLS.Clone()
		config.NextProtos = []string{"http/1.1"} // a WebSocket needs HTTP/1.1 (RFC 6455 §4.1)
		served = tls.NewListener(l, config)
	}
	n.life.listener = l
	server := n.life.server
	n.running.Go(func() {
		err := server.Serve(served)
		if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			n.log.Error().Err(err).Msg("Network Server simulator stopped listening")
		}
	})
}

// unlisten gives up the listening socket, for the duration if it is not 0. The NS is locked.
func (n *NS) unlisten(d time.Duration) error {
	l := n.life
	if l == nil || !l.own {
		return errors.New("refuse connects by not listening: the socket is not the simulator's; use Start")
	}
	if l.again != nil {
		l.again.Stop()
	}
	if l.listener != nil {
		_ = l.listener.Close()
		l.listener = nil
	}
	if d > 0 {
		l.again = time.AfterFunc(d, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.life != l || n.refusal.how != NotListening {
				return
			}
			n.refusal.how = Accept
			defer n.changes.announce()
			if err := n.relisten(); err != nil {
				n.log.Error().Err(err).Msg("Network Server simulator cannot listen again")
			}
		})
	}
	return nil
}

// relisten opens the socket again at the same address, if it was given up. The NS is locked.
func (n *NS) relisten() error {
	l := n.life
	if l == nil || l.listener != nil {
		return nil
	}
	fresh, err := net.Listen("tcp", l.addr)
	if err != nil {
		return fmt.Errorf("listen again on %q: %w", l.addr, err)
	}
	n.attach(fresh)
	return nil
}

// Addr is the address listened on, "host:port"; empty when the NS does not run.
func (n *NS) Addr() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life == nil {
		return ""
	}
	return n.life.addr
}

// URL is where streams are had, ws:// or wss://, without a query.
func (n *NS) URL() string { return n.at("ws", DataPath) }

// HistoryURL is where the REST source is, http:// or https://, without a query.
func (n *NS) HistoryURL() string { return n.at("http", HistoryPath) }

func (n *NS) at(scheme, path string) string {
	n.mu.Lock()
	secure := n.cfg.TLS != nil && (n.life == nil || n.life.own)
	n.mu.Unlock()
	if secure {
		scheme += "s"
	}
	return scheme + "://" + n.Addr() + path
}

// Close ends every stream by a close frame, stops listening and generating, and returns when all of it has ended:
// within half a second even if a client reads nothing. Downlinks that were not transmitted yet never are. Closing
// twice is fine.
func (n *NS) Close() {
	n.mu.Lock()
	n.closed = true
	l := n.life
	n.life = nil
	n.desk.stop()
	streams := slices.Collect(maps.Values(n.streams))
	n.mu.Unlock()
	if l != nil {
		l.stop()
		if l.again != nil {
			l.again.Stop()
		}
		_ = l.server.Close() // its error is that of closing a listener that Refuse closed before
		n.log.Info().Str("listen", l.addr).Msg("Network Server simulator closed")
	}
	for _, s := range streams {
		s.leave(departure{CloseFrame, closeGoingAway, "Network Server closed"})
	}
	n.running.Wait()
}
