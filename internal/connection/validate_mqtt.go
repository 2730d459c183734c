package connection

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// Bounds of a broker session.
const (
	maxClientID = 65535 // bytes, MQTT 3.1.1 §1.5.3

	minKeepAlive = 5 * time.Second
	maxKeepAlive = 65535 * time.Second // MQTT 3.1.1 §3.1.2.10

	minAckTimeout = 100 * time.Millisecond
	maxAckTimeout = time.Minute

	minConnectTimeout = 100 * time.Millisecond
	maxConnectTimeout = 5 * time.Minute

	maxInflight = 1000
	maxRate     = 1_000_000 // publishes per second

	maxDownlinkWait = time.Minute
)

func (m MQTT) validate() fault.List {
	var faults fault.List
	if len(m.ClientID) > maxClientID || !utf8.ValidString(m.ClientID) || strings.ContainsRune(m.ClientID, 0) {
		faults.Add("client_id", "must be at most %d bytes of UTF-8 without NUL (MQTT 3.1.1 §1.5.3)", maxClientID)
	}
	switch k := time.Duration(m.KeepAlive); {
	case k < minKeepAlive || k > maxKeepAlive:
		faults.Add("keep_alive", "must be from %s to %s (MQTT 3.1.1 §3.1.2.10): without it a broker that vanished would not be noticed",
			Duration(minKeepAlive), Duration(maxKeepAlive))
	case k%time.Second != 0:
		faults.Add("keep_alive", "must be whole seconds: MQTT counts it in seconds (MQTT 3.1.1 §3.1.2.10)")
	}
	within(&faults, "ack_timeout", m.AckTimeout, minAckTimeout, maxAckTimeout)
	within(&faults, "connect_timeout", m.ConnectTimeout, minConnectTimeout, maxConnectTimeout)
	if m.MaxInflight < 1 || m.MaxInflight > maxInflight {
		faults.Add("max_inflight", "must be from 1 to %d: after a drop as many messages may be delivered twice", maxInflight)
	}
	if m.MaxRate < 0 || m.MaxRate > maxRate {
		faults.Add("max_rate", "must be 0, for no limit, or at most %d publishes a second", maxRate)
	}
	return faults
}

func (d Downlink) validate() fault.List {
	var faults fault.List
	within(&faults, "max_wait", d.MaxWait, 0, maxDownlinkWait)
	if d.ExpiredRequests != ExpiredLast && d.ExpiredRequests != ExpiredDiscard {
		faults.Add("expired_requests", "must be %s or %s", ExpiredLast, ExpiredDiscard)
	}
	return faults
}

func within(faults *fault.List, path string, d Duration, low, high time.Duration) {
	if time.Duration(d) < low || time.Duration(d) > high {
		faults.Add(path, "must be from %s to %s", Duration(low), Duration(high))
	}
}
