package testkit

import (
	"bufio"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// Mosquitto is a mosquitto process on loopback that ends with its test. Its ports stay the same over
// [Mosquitto.Stop] and [Mosquitto.Start]; it stores nothing.
type Mosquitto struct {
	t         testing.TB
	program   string
	options   brokerOptions
	dir       string
	addresses map[string]string // scheme → host:port

	mu      sync.Mutex
	process *exec.Cmd // nil while stopped
	said    *transcript
}

// StartMosquitto starts a mosquitto that stops with the test. It fails the test where mosquitto is not installed:
// tests that call it carry the build tag "interop", so that asking for them is asking for mosquitto.
func StartMosquitto(t testing.TB, options ...BrokerOption) *Mosquitto {
	t.Helper()
	m := &Mosquitto{t: t, options: newBrokerOptions(t, options), dir: t.TempDir()}
	if m.options.acl != nil || m.options.maxQoS != 2 || m.options.unrecorded {
		t.Fatal("testkit: start mosquitto: WithACL, WithMaximumQoS and WithoutRecord are for StartBroker")
	}
	program, err := findMosquitto()
	if err != nil {
		t.Fatalf("testkit: start mosquitto: %v: install with `make interop-deps`", err)
	}
	m.program = program
	m.addresses = reserveAddresses(t, m.options.schemes) // mosquitto, too, reuses addresses
	m.configure()
	m.Start()
	t.Cleanup(m.Stop)
	return m
}

// findMosquitto also looks where Debian has it, which is not on the PATH of an ordinary user.
func findMosquitto() (string, error) {
	program, err := exec.LookPath("mosquitto")
	if err == nil {
		return program, nil
	}
	if program, sbin := exec.LookPath("/usr/sbin/mosquitto"); sbin == nil {
		return program, nil
	}
	return "", err
}

func (m *Mosquitto) configure() {
	m.t.Helper()
	var conf strings.Builder
	fmt.Fprintf(&conf, "persistence false\nset_tcp_nodelay true\nmax_queued_messages 0\nlog_dest stderr\nlog_type all\n")
	if os.Geteuid() == 0 {
		conf.WriteString("user root\n") // else it could not read the test's files
	}
	if m.options.maxPacketSize > 0 {
		fmt.Fprintf(&conf, "max_packet_size %d\n", m.options.maxPacketSize)
	}
	if len(m.options.users) == 0 {
		conf.WriteString("allow_anonymous true\n")
	} else {
		fmt.Fprintf(&conf, "allow_anonymous false\npassword_file %s\n", m.write("passwords", m.passwords()))
	}
	ca, certificate := m.write("ca.pem", m.options.ca.PEM()), m.write("server.pem", m.options.certificate.Certificate)
	key := m.write("server.key", m.options.certificate.Key)
	for _, scheme := range m.options.schemes {
		host, port, err := net.SplitHostPort(m.addresses[scheme])
		if err != nil {
			m.t.Fatalf("testkit: configure mosquitto: %v", err)
		}
		fmt.Fprintf(&conf, "listener %s %s\n", port, host)
		if strings.HasPrefix(scheme, "ws") {
			conf.WriteString("protocol websockets\n")
		}
		if scheme == "mqtts" || scheme == "wss" {
			fmt.Fprintf(&conf, "cafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate %t\n",
				ca, certificate, key, m.options.clientCertificates)
		}
	}
	m.write("mosquitto.conf", []byte(conf.String()))
}

// passwords is the content of a password file: PBKDF2-HMAC-SHA512, as mosquitto_passwd writes it.
func (m *Mosquitto) passwords() []byte {
	m.t.Helper()
	const iterations = 101
	var file strings.Builder
	for user, password := range m.options.users {
		salt := make([]byte, 12)
		_, _ = rand.Read(salt) // never fails
		hash, err := pbkdf2.Key(sha512.New, password, salt, iterations, sha512.Size)
		if err != nil {
			m.t.Fatalf("testkit: hash a password for mosquitto: %v", err)
		}
		encode := base64.StdEncoding.EncodeToString
		fmt.Fprintf(&file, "%s:$7$%d$%s$%s\n", user, iterations, encode(salt), encode(hash))
	}
	return []byte(file.String())
}

func (m *Mosquitto) write(name string, content []byte) (path string) {
	m.t.Helper()
	path = filepath.Join(m.dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		m.t.Fatalf("testkit: configure mosquitto: %v", err)
	}
	return path
}

// Start starts the process again and returns when it accepts clients. Starting a running one does nothing.
func (m *Mosquitto) Start() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		return
	}
	process := exec.Command(m.program, "-c", filepath.Join(m.dir, "mosquitto.conf")) // #nosec G204 -- found above
	stderr, err := process.StderrPipe()
	if err != nil {
		m.t.Fatalf("testkit: start mosquitto: %v", err)
	}
	if err := process.Start(); err != nil {
		m.t.Fatalf("testkit: start mosquitto: %v", err)
	}
	m.process, m.said = process, &transcript{}
	go m.said.follow(stderr)
	await(m.t, &m.said.Changes, "mosquitto to run", func() bool { return m.said.has(" running") || m.said.hasEnded() })
	if !m.said.has(" running") {
		m.t.Fatalf("testkit: mosquitto ended as soon as it was started; it said:\n%s", m.said)
	}
}

// Stop kills the process, as a crash would. Stopping a stopped one does nothing.
func (m *Mosquitto) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil {
		return
	}
	_ = m.process.Process.Kill()
	await(m.t, &m.said.Changes, "mosquitto to end", m.said.hasEnded) // before Wait, which closes the pipe
	_ = m.process.Wait()
	m.process = nil
}

// CA is the authority that issued the broker's certificate.
func (m *Mosquitto) CA() *CA { return m.options.ca }

// Address is the scheme's host:port.
func (m *Mosquitto) Address(scheme string) string {
	m.t.Helper()
	address, ok := m.addresses[scheme]
	if !ok {
		m.t.Fatalf("testkit: this mosquitto does not listen for %s", scheme)
	}
	return address
}

// URI is the scheme's address as a URI, without user and password.
func (m *Mosquitto) URI(scheme string) string {
	m.t.Helper()
	return fmt.Sprintf("%s://%s", scheme, m.Address(scheme))
}

// Log is what the process has said since it was started, to show when a test fails.
func (m *Mosquitto) Log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.said.String()
}

// transcript is what a process says on its standard error.
type transcript struct {
	faultywire.Changes

	mu    sync.Mutex
	lines []string
	ended bool
}

func (s *transcript) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		s.mu.Unlock()
		s.Raise()
	}
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.Raise()
}

func (s *transcript) has(part string) bool {
	return strings.Contains(s.String(), part)
}

func (s *transcript) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// String is everything said so far, a line each.
func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}
