package broker

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// URI names a broker and how to reach it, and who asks: the uri of a connection, taken apart. The zero value is no
// broker; values are comparable.
type URI struct {
	Scheme   string        // mqtt, mqtts, ws or wss
	Host     string        // a name in lower case or an IP address, an IPv6 one without brackets
	Port     string        // in decimal
	Path     string        // of the WebSocket, URL-encoded, beginning with "/"; empty for mqtt and mqtts
	User     string        // decoded; empty for none
	Password secret.String // decoded; without a user there is none (MQTT 3.1.1 §3.1.2.9)
}

// webSocketPath is the path of a ws or wss URI that gives none.
const webSocketPath = "/mqtt"

// maxField is the length of the longest string or binary data in an MQTT packet (MQTT 3.1.1 §1.5.3).
const maxField = 65535

var defaultPorts = map[string]string{"mqtt": "1883", "mqtts": "8883", "ws": "80", "wss": "443"}

// errEncode is appended to what went wrong where an unencoded character in the password is the likely reason.
const errEncode = `; a "/", "?" or "#" in the user or password is written %2F, %3F or %23`

// ParseURI reads mqtt://, mqtts://, ws:// and wss:// URIs. The ports default to 1883, 8883, 80 and 443, the WebSocket
// path to /mqtt. User and password are URL-encoded in the userinfo and come back decoded.
//
// The error says what is wrong but repeats nothing of s except a scheme: any other part of a mistyped URI may be the
// password.
func ParseURI(s string) (URI, error) {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return URI{}, errors.New("contains a space or a control character; it is written URL-encoded, %20 for a space")
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return URI{}, errors.New(`the scheme is missing: begin with mqtt://, mqtts://, ws:// or wss://`)
	}
	u := URI{Scheme: strings.ToLower(scheme)}
	if _, known := defaultPorts[u.Scheme]; !known {
		return URI{}, errors.New("the scheme" + quoteScheme(scheme) + " is none of mqtt, mqtts, ws and wss")
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	hint := ""
	if !strings.Contains(authority, "@") && strings.Contains(path, "@") {
		hint = errEncode
	}
	host := authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		host = authority[i+1:]
		if err := u.setUserinfo(authority[:i]); err != nil {
			return URI{}, err
		}
	}
	if err := u.setHost(host); err != nil {
		return URI{}, errors.New(err.Error() + hint)
	}
	if err := u.setPath(path); err != nil {
		return URI{}, errors.New(err.Error() + hint)
	}
	return u, nil
}

// quoteScheme quotes what can be nothing worse than a mistyped scheme.
func quoteScheme(scheme string) string {
	plain := !strings.ContainsFunc(scheme, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if !plain || len(scheme) > 6 {
		return ""
	}
	return " " + strconv.Quote(scheme)
}

func (u *URI) setUserinfo(userinfo string) error {
	if strings.Contains(userinfo, "@") {
		return errors.New(`an "@" in the user or password is written %40`)
	}
	encodedUser, encodedPassword, _ := strings.Cut(userinfo, ":")
	user, err := url.PathUnescape(encodedUser)
	if err != nil {
		return errors.New(`the user has a "%" that two hexadecimal digits do not follow; a "%" is written %25`)
	}
	password, err := url.PathUnescape(encodedPassword)
	if err != nil {
		return errors.New(`the password has a "%" that two hexadecimal digits do not follow; a "%" is written %25`)
	}
	switch {
	case user == "" && password != "":
		return errors.New("a password needs a user (MQTT 3.1.1 §3.1.2.9)")
	case !utf8.ValidString(user) || strings.ContainsRune(user, 0):
		return errors.New("the user is not UTF-8 text without NUL (MQTT 3.1.1 §1.5.3)")
	case len(user) > maxField || len(password) > maxField:
		return errors.New("user and password have at most 65535 bytes each (MQTT 3.1.1 §1.5.3)")
	}
	u.User, u.Password = user, secret.New(password)
	return nil
}

func (u *URI) setHost(hostport string) error {
	host, port := hostport, ""
	if i := strings.LastIndex(hostport, ":"); i > strings.LastIndex(hostport, "]") {
		host = hostport[:i]
		number, err := strconv.ParseUint(hostport[i+1:], 10, 16)
		if err != nil || number == 0 {
			return errors.New("the port is not a number from 1 to 65535")
		}
		port = strconv.FormatUint(number, 10)
	}
	if host == "" {
		return errors.New("the host is missing")
	}
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	u.Port = port
	if strings.HasPrefix(host, "[") {
		return u.setIPv6(host)
	}
	u.Host = strings.ToLower(host)
	return checkName(u.Host)
}

func (u *URI) setIPv6(bracketed string) error {
	inner, closed := strings.CutSuffix(bracketed[1:], "]")
	inner, zone, zoned := strings.Cut(inner, "%25") // RFC 6874
	address, err := netip.ParseAddr(inner)
	if !closed || err != nil || !address.Is6() || strings.Contains(inner, "%") || zoned != isLabel(strings.ToLower(zone)) {
		return errors.New("the host in brackets is not an IPv6 address")
	}
	u.Host = address.WithZone(zone).String()
	return nil
}

// checkName accepts host names and IPv4 addresses. It allows "_", which some private names have.
func checkName(name string) error {
	if strings.Contains(name, ":") {
		return errors.New("the host has a colon; an IPv6 address is written in brackets")
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 || len(name) > 253 {
			return errors.New("the host is not a valid name: its parts have 1 to 63 characters, all of it 253 at most")
		}
		if !isLabel(label) {
			return errors.New("the host has a character other than letters, digits, hyphens and dots; " +
				"an international name is written in its xn-- form")
		}
	}
	return nil
}

// isLabel reports whether s may be part of a host name in lower case.
func isLabel(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

func (u *URI) setPath(path string) error {
	if strings.ContainsAny(path, "?#") {
		return errors.New(`a query ("?") or fragment ("#") has no meaning here`)
	}
	if u.Scheme == "mqtt" || u.Scheme == "mqtts" {
		if path != "" && path != "/" {
			return errors.New("a path has no meaning for " + u.Scheme + "://, only for ws:// and wss://")
		}
		return nil
	}
	if path == "" {
		path = webSocketPath
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return errors.New(`the path has a "%" that two hexadecimal digits do not follow; a "%" is written %25`)
	}
	if (&url.URL{Path: decoded, RawPath: path}).EscapedPath() != path { // which is as given only where that is legal
		return errors.New("the path has a character that has to be URL-encoded")
	}
	u.Path = path
	return nil
}

// Address is what to dial: "host:port", an IPv6 host in brackets.
func (u URI) Address() string { return net.JoinHostPort(u.Host, u.Port) }

// hostField is the Host of an HTTP request, which names no default port (RFC 9110 §7.2).
func (u URI) hostField() string {
	if u.Port == defaultPorts[u.Scheme] {
		return strings.TrimSuffix(u.Address(), ":"+u.Port)
	}
	return u.Address()
}

// Secure reports whether the scheme demands TLS.
func (u URI) Secure() bool { return u.Scheme == "mqtts" || u.Scheme == "wss" }

// overWebSocket reports whether MQTT travels in WebSocket messages.
func (u URI) overWebSocket() bool { return u.Scheme == "ws" || u.Scheme == "wss" }

// Redacted is the URI with its port and path spelled out and the password, if any, as "***".
func (u URI) Redacted() string {
	userinfo := ""
	if u.User != "" {
		userinfo = url.User(u.User).String()
		if !u.Password.IsZero() {
			userinfo += ":" + u.Password.String()
		}
		userinfo += "@"
	}
	return u.Scheme + "://" + userinfo + u.authority() + u.Path
}

// String is [URI.Redacted]: a URI has no form that shows the password.
func (u URI) String() string { return u.Redacted() }

// Target is the URI without user and password: where, not who. The zero URI has none.
func (u URI) Target() string {
	if u.Scheme == "" {
		return ""
	}
	return u.Scheme + "://" + u.authority() + u.Path
}

// authority is host and port as they stand in a URI, which has the "%" of an IPv6 zone encoded (RFC 6874 §2).
func (u URI) authority() string { return strings.Replace(u.Address(), "%", "%25", 1) }
