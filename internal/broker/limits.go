package broker

import (
	"slices"
	"strings"
	"time"
)

// awsConnectInterval is what AWS IoT Core allows: one CONNECT a second for a client ID. It throttles what is more.
const awsConnectInterval = time.Second

// MinConnectInterval is the time that must pass between two CONNECTs of one client ID at this broker, for brokers that
// are known by their host's name to limit that; 0 for others.
func (u URI) MinConnectInterval() time.Duration {
	if isAWSIoT(u.Host) {
		return awsConnectInterval
	}
	return 0
}

// isAWSIoT recognises an account's endpoint at AWS IoT Core: NAME.iot.REGION.amazonaws.com, and .cn for China, with or
// without the -ats that NAME has where the certificate is Amazon's own.
func isAWSIoT(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	name, found := strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com")
	labels := strings.Split(name, ".") // …, iot, REGION
	return found && len(labels) >= 3 && labels[len(labels)-2] == "iot" && !slices.Contains(labels, "")
}
