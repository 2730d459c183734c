package natsconn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// Embedded configures the NATS server in this process.
type Embedded struct {
	// Dir holds the JetStream store. One process at a time may use it.
	Dir string
	// Listen is a host:port for NATS clients; empty: none, only this process can reach the server.
	Listen string
	// SyncAlways has every write on disk before it is acknowledged; otherwise the store is synced every
	// SyncInterval.
	SyncAlways   bool
	SyncInterval time.Duration
	// EncryptionKey encrypts the store at rest; empty: plain.
	EncryptionKey secret.String
	// MaxStore is the disk space in bytes that streams may reserve; 0 leaves the server's own default.
	MaxStore int64
}

// defaultSyncInterval is how often JetStream syncs what was written if it is not told otherwise.
const defaultSyncInterval = 2 * time.Minute

// maxPayload is the largest message the embedded server takes: a frame of 1 MiB with room for its headers.
const maxPayload = 2 << 20

// embedded is a running server with the lock on its directory.
type embedded struct {
	server   *server.Server
	lock     *os.File
	dir      string
	unsynced time.Duration // how far back writes of the server before this one may be missing
}

func startEmbedded(ctx context.Context, name string, cfg Embedded, log zerolog.Logger) (*embedded, error) {
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err := checkKey(cfg.Dir, cfg.EncryptionKey); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	options, err := cfg.options(name)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("nats.embedded: %w", err), lock.Close())
	}
	s.SetLogger(&serverLog{log}, false, false)
	unclean, err := markRunning(cfg.Dir)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e := &embedded{server: s, lock: lock, dir: cfg.Dir}
	if unclean {
		log.Warn().Str("dir", cfg.Dir).Msg("the store was not closed in good order: what may not have reached the disk is fetched again")
		if !cfg.SyncAlways {
			e.unsynced = cmp.Or(cfg.SyncInterval, defaultSyncInterval)
		}
	}
	s.Start()
	if err := e.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

// awaitReady waits until the store is recovered.
func (e *embedded) awaitReady(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < startTimeout {
		if !e.server.ReadyForConnections(time.Until(deadline)) {
			return errors.New("nats.embedded: the server did not start in time")
		}
	} else if !e.server.ReadyForConnections(startTimeout) {
		return fmt.Errorf("nats.embedded: the server did not start within %v", startTimeout)
	}
	if !e.server.JetStreamEnabled() {
		return errors.New("nats.embedded: JetStream did not start: the store could not be opened (see the log lines before this one)")
	}
	return nil
}

func (cfg Embedded) options(name string) (*server.Options, error) {
	o := &server.Options{
		ServerName:        name,
		JetStream:         true,
		StoreDir:          cfg.Dir,
		JetStreamMaxStore: cfg.MaxStore,
		JetStreamKey:      cfg.EncryptionKey.Reveal(),
		SyncAlways:        cfg.SyncAlways,
		SyncInterval:      cfg.SyncInterval,
		MaxPayload:        maxPayload,
		NoSigs:            true, // signals are the program's
		DontListen:        cfg.Listen == "",
	}
	if cfg.Listen != "" {
		host, port, err := net.SplitHostPort(cfg.Listen)
		if err != nil {
			return nil, fmt.Errorf("nats.embedded.listen: %w", err)
		}
		if o.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("nats.embedded.listen: port %q is not a number", port)
		}
		o.Host = host
	}
	return o, nil
}

// lockDir makes sure that no other process writes to the store: the server itself does not look.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("nats.embedded.dir: make %s: %w", dir, err)
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("nats.embedded.dir: open %s: %w", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("nats.embedded.dir: %s is in use by another lorry: stop it or choose another directory", dir), f.Close())
	}
	return f, nil
}

func (e *embedded) stop() error {
	running := e.server.JetStreamEnabled()
	e.server.Shutdown()
	e.server.WaitForShutdown()
	if !running { // it never opened the store, or gave it up: what that lacks is still to be found out
		return e.lock.Close()
	}
	return errors.Join(markStopped(e.dir), e.lock.Close())
}
