package broker

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// TLSConfig makes a client's configuration of the fields of a connection's tls. All may be empty.
//
// ca, PEM, holds the authorities to trust instead of the system's; certificate and key, PEM, show the broker who
// connects; serverName is the name that the broker's certificate must be valid for instead of the URI's host; alpn are
// the protocols to offer (RFC 7301). TLS 1.2 is the least, and the name is always verified. Errors name the field and
// show nothing of a key.
func TLSConfig(ca, certificate, key []byte, serverName string, alpn []string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	for _, protocol := range alpn {
		if protocol == "" || len(protocol) > 255 {
			return nil, errors.New("tls.alpn: a protocol's name has 1 to 255 bytes (RFC 7301 §3.1)")
		}
		config.NextProtos = append(config.NextProtos, protocol)
	}
	if len(ca) > 0 {
		pool, err := certificates(ca)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		config.RootCAs = pool
	}
	switch {
	case len(certificate) == 0 && len(key) == 0:
		return config, nil
	case len(key) == 0:
		return nil, errors.New("tls.key: missing, while there is a tls.certificate")
	case len(certificate) == 0:
		return nil, errors.New("tls.certificate: missing, while there is a tls.key")
	}
	if _, err := certificates(certificate); err != nil {
		return nil, fmt.Errorf("tls.certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: not the PEM of the unencrypted private key of tls.certificate: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// certificates reads every block of the PEM and insists that each is a certificate: x509.CertPool's own reader passes
// over what it does not understand.
func certificates(text []byte) (*x509.CertPool, error) {
	pool, found := x509.NewCertPool(), false
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("the PEM holds a %.40q, not only certificates", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the PEM holds a broken certificate: %w", err)
		}
		pool.AddCert(certificate)
		found = true
	}
	if !found {
		return nil, errors.New("no certificate found; give it as PEM, from -----BEGIN CERTIFICATE----- on")
	}
	return pool, nil
}
