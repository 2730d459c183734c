package broker

import (
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// newClient makes a paho client that does one session over one connection and nothing by itself.
//
// Rules for living with paho v1.5.1, each of which something was lost or hung without:
//
//   - A client is for one session: after Disconnect it may panic when used again.
//   - It must not reconnect: with auto-reconnect tokens of messages that were never acknowledged complete without an
//     error, and with a free choice of protocol version a refused CONNECT is sent again as MQTT 3.1.
//   - It does not dial: it would follow proxy variables of the environment, take userinfo from the URI, add no /mqtt,
//     and hide the HTTP status of a refused upgrade.
//   - Its own ConnectTimeout becomes a deadline that the wire ignores; the context of Connect is what counts.
//   - Messages arrive in their order only if it is told that order matters (docs/adr/0002-paho-inbound-order.md), and
//     they go to the default handler: filters are the broker's to match.
//   - It must be given a write timeout, for without one its Subscribe waits 30 s for a network that takes nothing.
//   - Its keep alive looks every five seconds whether there is something to do, which adds up (keepAlive).
func newClient(s *Session, o Options) mqtt.Client {
	options := mqtt.NewClientOptions()
	options.Servers = []*url.URL{{Scheme: "tcp", Host: o.URI.Address()}} // for show: the connection exists
	options.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return s.wire, nil })
	options.SetProtocolVersion(4).SetCleanSession(true).SetClientID(o.ClientID)
	options.SetUsername(o.URI.User).SetPassword(o.URI.Password.Reveal())
	options.SetAutoReconnect(false).SetConnectRetry(false).SetResumeSubs(false)
	options.SetKeepAlive(0) // it is the wire's
	options.SetWriteTimeout(o.AckTimeout).SetConnectTimeout(time.Hour)
	options.SetOrderMatters(true).SetDefaultPublishHandler(s.arrived)
	options.SetConnectionLostHandler(func(_ mqtt.Client, err error) { s.lost(err) })
	return mqtt.NewClient(options)
}
