package actors

import "github.com/lorry-mqtt/lorry/internal/telemetry"

// forBroker reports whether a child works for the MQTT end, which a paused connection has not.
func forBroker(child string) bool { return child == publisherName || child == subscriberName }

// resume has the connection's state be that of one that works, or of one that is paused: then frames are stored, and
// none is published.
func (c *connectionActor) resume() {
	switch {
	case c.paused:
		c.state.current.Broker.State = telemetry.Paused
		c.state.set(telemetry.Paused, nil)
	case c.shared == nil:
		c.state.set(telemetry.Connecting, nil)
	}
}
