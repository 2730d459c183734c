package probe

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/egress"
	"github.com/lorry-mqtt/lorry/internal/source"
)

// Mends of what only a test meets.
const (
	mendOptions           = "correct the connection's configuration; no attempt can succeed as it is"
	mendClosedOnSubscribe = "some brokers end a session that subscribes to what it may not: let this user subscribe to topic_down in the broker's ACL"
	mendClosedOnPublish   = "many brokers end a session that publishes where it may not: let this user publish to topic_up in the broker's ACL"
	mendNoPuback          = "the broker must acknowledge every message in time: look at its load and log, or raise mqtt.ack_timeout"
	mendStream            = "the Network Server accepted the stream and does not serve it: check that source.url is its Data API, and no proxy is in between"
)

// mendOtherwise is for failures of which nothing more is known.
var mendOtherwise = map[string]string{
	StageDNS:       "check the name, and that this machine's resolver knows it",
	StageTCP:       "check host and port, and that the network leads there",
	StageTLS:       "check that host and port are those of a TLS server; mqtts:// and wss:// need one",
	StageWebSocket: "check that host, port and path are those of a WebSocket server",
	StageConnack:   "check that host and port are those of an MQTT broker; its log may say more",
	StageSuback:    "the broker's log may say more",
}

// explainBroker is the stage, mend and cause of an error of package broker. One that names no stage has the given one.
func explainBroker(err error, otherwise broker.Stage) (stage broker.Stage, mend string, reason error) {
	stage, reason = otherwise, err
	if staged, ok := errors.AsType[*broker.Error](err); ok {
		stage, reason, mend = staged.Stage, staged.Err, staged.Mend
	}
	return stage, improve(string(stage), mend, reason, "uri or as tls.server_name"), reason
}

// explainSource is the stage, mend and cause of an error of source.DialWebSocket.
func explainSource(err error) (stage source.Stage, mend string, reason error) {
	stage, reason = source.StageTCP, err
	if staged, ok := errors.AsType[*source.DialError](err); ok {
		stage, reason, mend = staged.Stage, staged.Err, staged.Mend
	}
	if stage == source.StageOptions && mend == "" {
		mend = mendOptions
	}
	return stage, improve(string(stage), mend, reason, "source.url"), reason
}

// cause is what is in an error of package broker.
func cause(err error) error {
	if staged, ok := errors.AsType[*broker.Error](err); ok {
		return staged.Err
	}
	return err
}

// improve returns a mend that says more, where that is known. The name of a host stands in the given fields.
func improve(stage, mend string, err error, fields string) string {
	var name x509.HostnameError
	refused, byPolicy := errors.AsType[*egress.RefusedError](err)
	switch {
	case errors.As(err, &name) && name.Certificate != nil:
		return fmt.Sprintf("the certificate is for %s: use such a name in %s, or have one issued for %s", names(name.Certificate), fields, name.Host)
	case byPolicy:
		return fmt.Sprintf("use another host, or have %s of this node changed", refused.List)
	case mend == "":
		return mendOtherwise[stage]
	}
	return mend
}

// maxShownNames bounds how many names of a certificate are shown.
const maxShownNames = 10

// names are the names and addresses that a certificate is for.
func names(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, address := range c.IPAddresses {
		all = append(all, address.String())
	}
	switch {
	case len(all) == 0:
		return "no name at all"
	case len(all) > maxShownNames:
		return fmt.Sprintf("%s and %d more", strings.Join(all[:maxShownNames], ", "), len(all)-maxShownNames)
	}
	return strings.Join(all, ", ")
}
