package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// CA is a certification authority that lives as long as its test. Nothing trusts it unless told to.
type CA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// KeyPair is a certificate and its private key, both PEM, as they stand in a connection's tls.certificate and tls.key.
type KeyPair struct{ Certificate, Key []byte }

// NewCA makes an authority with a key of its own.
func NewCA(t testing.TB) *CA {
	t.Helper()
	template := certificateTemplate(t, "lorry test CA")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatalf("testkit: make a CA: %v", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("testkit: make a CA: %v", err)
	}
	return &CA{certificate: certificate, key: key}
}

// PEM is the authority's certificate, as it stands in a connection's tls.ca.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.certificate.Raw})
}

// Pool holds the authority alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	return pool
}

// Server issues a certificate for a server with the given host names and IP addresses, valid now.
func (ca *CA) Server(t testing.TB, names ...string) KeyPair {
	t.Helper()
	return ca.issue(t, serverTemplate(t, names))
}

// ExpiredServer issues a certificate as [CA.Server] does, but one that ceased to be valid an hour ago.
func (ca *CA) ExpiredServer(t testing.TB, names ...string) KeyPair {
	t.Helper()
	template := serverTemplate(t, names)
	template.NotBefore, template.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	return ca.issue(t, template)
}

// Client issues a certificate with which a client called name shows who it is.
func (ca *CA) Client(t testing.TB, name string) KeyPair {
	t.Helper()
	template := certificateTemplate(t, name)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return ca.issue(t, template)
}

// TLS is the pair as crypto/tls wants it.
func (p KeyPair) TLS(t testing.TB) tls.Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		t.Fatalf("testkit: read a key pair: %v", err)
	}
	return certificate
}

func (ca *CA) issue(t testing.TB, template *x509.Certificate) KeyPair {
	t.Helper()
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		t.Fatalf("testkit: issue a certificate: %v", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("testkit: encode a private key: %v", err)
	}
	return KeyPair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}
}

func serverTemplate(t testing.TB, names []string) *x509.Certificate {
	t.Helper()
	template := certificateTemplate(t, "lorry test server")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return template
}

func certificateTemplate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatalf("testkit: draw a serial number: %v", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("testkit: make a key: %v", err)
	}
	return key
}
