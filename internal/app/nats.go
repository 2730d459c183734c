package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// storeHeadroom is the disk space beyond buffer.max_bytes that cursors and the like may take.
const storeHeadroom = 1 << 30

func natsConfig(cfg config.Config) (natsconn.Config, error) {
	n := natsconn.Config{
		Name:        cfg.Node.Name,
		URL:         cfg.NATS.URL.Reveal(),
		Credentials: cfg.NATS.Credentials,
		Embedded: natsconn.Embedded{
			Dir: cfg.NATS.Embedded.Dir, Listen: cfg.NATS.Embedded.Listen,
			SyncAlways: cfg.NATS.Embedded.Sync.Always, SyncInterval: cfg.NATS.Embedded.Sync.Interval,
			EncryptionKey: cfg.NATS.Embedded.EncryptionKey,
			MaxStore:      int64(cfg.Buffer.MaxBytes) + storeHeadroom,
		},
	}
	t := cfg.NATS.TLS
	if t == (config.NATSTLS{}) {
		return n, nil
	}
	n.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return n, fmt.Errorf("nats.tls.ca: %w", err)
		}
		n.TLS.RootCAs = x509.NewCertPool()
		if !n.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return n, fmt.Errorf("nats.tls.ca: %s holds no PEM certificate", t.CA)
		}
	}
	if t.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return n, fmt.Errorf("nats.tls.certificate and nats.tls.key: %w", err)
		}
		n.TLS.Certificates = []tls.Certificate{pair}
	}
	return n, nil
}
