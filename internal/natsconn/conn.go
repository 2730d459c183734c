package natsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// Config says where NATS is.
type Config struct {
	// Name is how this node shows in NATS's own monitoring.
	Name string
	// URL names an external NATS system (nats:// or tls://, several with commas). Empty: the embedded server.
	URL string
	// Credentials is a .creds file for the external system; empty for none.
	Credentials string
	// TLS is for the external system; nil leaves it to the URL's scheme and the system's certificate pool.
	TLS *tls.Config
	// Embedded configures the server in this process.
	Embedded Embedded
}

// Conn is a NATS connection with JetStream and, when embedded, the server behind it.
type Conn struct {
	*nats.Conn
	JetStream jetstream.JetStream

	embedded *embedded
}

// startTimeout bounds how long the embedded server may take to recover its store, an external system to answer.
const startTimeout = time.Minute

// Open starts the embedded server unless a URL is given, connects, and makes sure that JetStream answers.
func Open(ctx context.Context, cfg Config, log zerolog.Logger) (*Conn, error) {
	c := &Conn{}
	options := []nats.Option{
		nats.Name(cfg.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1), // a publish during an outage fails and is tried again by its owner, in order
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn().Err(err).Msg("nats connection lost")
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info().Str("url", nc.ConnectedUrlRedacted()).Msg("nats connection restored") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn().Err(err).Msg("nats reported an error") }),
	}
	url := cfg.URL
	if url == "" {
		e, err := startEmbedded(ctx, cfg.Name, cfg.Embedded, log)
		if err != nil {
			return nil, err
		}
		c.embedded = e
		options = append(options, nats.InProcessServer(e.server))
	} else {
		if cfg.Credentials != "" {
			options = append(options, nats.UserCredentials(cfg.Credentials))
		}
		if cfg.TLS != nil {
			options = append(options, nats.Secure(cfg.TLS))
		}
	}
	if err := c.connect(ctx, url, options); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Conn) connect(ctx context.Context, url string, options []nats.Option) error {
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return fmt.Errorf("nats.url: connect to NATS: %w", err)
	}
	c.Conn = nc
	if c.JetStream, err = jetstream.New(nc); err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if _, err := c.JetStream.AccountInfo(ctx); err != nil {
		err = fmt.Errorf("ask JetStream for its state at %s: %w", nc.ConnectedUrlRedacted(), err)
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
			err = fmt.Errorf("nats.url: %w: enable JetStream for the server and the account", err)
		}
		return err
	}
	return nil
}

// Server is the embedded server, nil with an external NATS system.
func (c *Conn) Server() *server.Server {
	if c.embedded == nil {
		return nil
	}
	return c.embedded.server
}

// Unsynced is how far back what was written and acknowledged before this connection was opened may be missing: JetStream
// acknowledges before it syncs. It is 0 after a clean end, and where each write is synced. Of an external system it
// cannot be seen how its servers ended: there it is JetStream's default sync interval, always.
func (c *Conn) Unsynced() time.Duration {
	if c.embedded == nil {
		return defaultSyncInterval
	}
	return c.embedded.unsynced
}

// Close ends the connection and stops the embedded server; its store is synced to disk.
func (c *Conn) Close() error {
	if c.Conn != nil {
		c.Conn.Close()
	}
	if c.embedded != nil {
		return c.embedded.stop()
	}
	return nil
}
