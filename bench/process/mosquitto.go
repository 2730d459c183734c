package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
)

// FindMosquitto also looks where Debian has it, which is not on the PATH of an ordinary user.
func FindMosquitto() (program string, found bool) {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, true
		}
	}
	return "", false
}

// MosquittoVersion asks the program for it, in its help, which exits with status 3.
func MosquittoVersion(ctx context.Context, program string) string {
	help, _ := exec.CommandContext(ctx, program, "-h").Output()
	version := regexp.MustCompile(`version ([0-9.]+)`).FindSubmatch(help)
	if version == nil {
		return "mosquitto"
	}
	return "mosquitto " + string(version[1])
}

// MosquittoConfiguration is one for a mosquitto that listens at an address, keeps what a subscriber is owed while it is
// not there, also over a restart, in dir, and delays nobody: without set_tcp_nodelay every publisher waits 8 to 17 ms.
func MosquittoConfiguration(address, dir string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("configure mosquitto: %w", err)
	}
	conf := fmt.Sprintf(`listener %s %s
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 1000
persistence true
persistence_location %s/
autosave_interval 0
log_dest stderr
log_type error
log_type warning
`, port, host, dir)
	if os.Geteuid() == 0 {
		conf += "user root\n" // else it could not write to the directory
	}
	return conf, nil
}

// MosquittoBridgeConfiguration is one for a mosquitto that listens at an address and passes what comes in topics on to
// the broker at another, a window of it at a time. It queues whatever is not passed on yet, in memory, and delays nobody.
func MosquittoBridgeConfiguration(address, broker, topics string, window int) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("configure a mosquitto bridge: %w", err)
	}
	return fmt.Sprintf(`listener %s %s
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages %d
log_dest stderr
log_type error
log_type warning
connection bench
address %s
topic %s out 1
bridge_protocol_version mqttv311
try_private false
notifications false
`, port, host, window, broker, topics), nil
}
