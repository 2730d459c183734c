package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"
)

// mend says what a user can do about a failure, in the words of a connection's fields. It returns "" when there is
// nothing to say beyond the failure itself.
func mend(stage Stage, o Options, err error) string {
	var upgrade *UpgradeError
	var connack *ConnackError
	var subscribe *SubscribeError
	switch {
	case errors.As(err, &connack):
		return mendConnack(connack.Code)
	case errors.As(err, &upgrade):
		return mendUpgrade(upgrade.Status)
	case errors.As(err, &subscribe):
		return "check that the broker's ACL lets this user subscribe to it"
	}
	switch stage {
	case StageDNS:
		return "check the host in uri"
	case StageTCP:
		return mendTCP(err)
	case StageTLS, StageConnack, StageWebSocket:
		if text := mendTLS(o, err); text != "" {
			return text
		}
		if errors.Is(err, ErrConnectTimeout) || errors.Is(err, ErrClosedByBroker) {
			return "check that uri's scheme is what the broker speaks on this port"
		}
	case StageSession:
		if errors.Is(err, ErrClosedByBroker) {
			return "the broker's log says why; another client with the same client ID is a frequent reason"
		}
	}
	return ""
}

func mendTCP(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there; check host and port in uri, and that the broker runs"
	case errors.Is(err, ErrConnectTimeout), errors.As(err, &timeout) && timeout.Timeout():
		return "check host and port in uri, and that no firewall is in between"
	}
	return ""
}

func mendTLS(o Options, err error) string {
	var plain tls.RecordHeaderError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &plain):
		return "this port does not speak TLS; check scheme and port in uri"
	case errors.As(err, &name):
		return "use a name that the certificate has in uri or as tls.server_name, or have one issued for this name"
	case errors.As(err, &authority):
		return "put the certificate of the authority that issued the broker's into tls.ca"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the broker's certificate has to be renewed, unless the clock here is wrong"
	case errors.As(err, &invalid):
		return "the broker's certificate has to be replaced"
	case isTLSRefusal(err):
		if o.TLS == nil || len(o.TLS.Certificates) == 0 {
			return "the broker probably wants a client certificate; set tls.certificate and tls.key"
		}
		return "the broker does not accept the client certificate in tls.certificate, or the names in tls.alpn"
	}
	return ""
}

func mendConnack(code byte) string {
	switch code {
	case 1:
		return "the broker does not accept MQTT 3.1.1"
	case 2:
		return "choose another mqtt.client_id"
	case 4, 5:
		return "check user and password in uri, URL-encoded, or the broker's ACL"
	}
	return ""
}

func mendUpgrade(status int) string {
	switch status {
	case http.StatusNotFound:
		return "check the path in uri; without one it is " + webSocketPath
	case http.StatusUnauthorized, http.StatusForbidden:
		return "check websocket.headers, and that the server lets this address in"
	}
	if status >= 300 && status < 400 {
		return "the server wants another address; put that into uri"
	}
	return ""
}
