package broker_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

func TestParseURI(t *testing.T) {
	for in, want := range map[string]broker.URI{
		"mqtt://broker.example":          {Scheme: "mqtt", Host: "broker.example", Port: "1883"},
		"mqtts://broker.example":         {Scheme: "mqtts", Host: "broker.example", Port: "8883"},
		"ws://broker.example":            {Scheme: "ws", Host: "broker.example", Port: "80", Path: "/mqtt"},
		"wss://broker.example":           {Scheme: "wss", Host: "broker.example", Port: "443", Path: "/mqtt"},
		"MQTT://Broker.Example":          {Scheme: "mqtt", Host: "broker.example", Port: "1883"},
		"mqtt://broker.example/":         {Scheme: "mqtt", Host: "broker.example", Port: "1883"},
		"mqtt://broker.example.:1":       {Scheme: "mqtt", Host: "broker.example.", Port: "1"},
		"mqtt://h:65535":                 {Scheme: "mqtt", Host: "h", Port: "65535"},
		"mqtt://h:01883":                 {Scheme: "mqtt", Host: "h", Port: "1883"},
		"mqtt://my_broker-1":             {Scheme: "mqtt", Host: "my_broker-1", Port: "1883"},
		"ws://h/":                        {Scheme: "ws", Host: "h", Port: "80", Path: "/"},
		"ws://h/a%20b/c":                 {Scheme: "ws", Host: "h", Port: "80", Path: "/a%20b/c"},
		"ws://h/%C3%A4%2Fb":              {Scheme: "ws", Host: "h", Port: "80", Path: "/%C3%A4%2Fb"},
		"wss://h:8443/p@th:1":            {Scheme: "wss", Host: "h", Port: "8443", Path: "/p@th:1"},
		"mqtt://192.0.2.1":               {Scheme: "mqtt", Host: "192.0.2.1", Port: "1883"},
		"mqtt://[2001:db8::1]":           {Scheme: "mqtt", Host: "2001:db8::1", Port: "1883"},
		"mqtt://[2001:DB8:0::1]:1884":    {Scheme: "mqtt", Host: "2001:db8::1", Port: "1884"},
		"ws://[fe80::1%25eth0]/x":        {Scheme: "ws", Host: "fe80::1%eth0", Port: "80", Path: "/x"},
		"mqtt://u@h":                     {Scheme: "mqtt", Host: "h", Port: "1883", User: "u"},
		"mqtt://u:@h":                    {Scheme: "mqtt", Host: "h", Port: "1883", User: "u"},
		"mqtt://@h":                      {Scheme: "mqtt", Host: "h", Port: "1883"},
		"mqtts://user:p%40ss@b.example":  {Scheme: "mqtts", Host: "b.example", Port: "8883", User: "user", Password: secret.New("p@ss")},
		"mqtt://u:a:b+c@h":               {Scheme: "mqtt", Host: "h", Port: "1883", User: "u", Password: secret.New("a:b+c")},
		"mqtt://t%2Fu%3A:%00%ff%25%2F@h": {Scheme: "mqtt", Host: "h", Port: "1883", User: "t/u:", Password: secret.New("\x00\xff%/")},
		"mqtt://ü:ß@h":                   {Scheme: "mqtt", Host: "h", Port: "1883", User: "ü", Password: secret.New("ß")},
	} {
		got, err := broker.ParseURI(in)
		if err != nil || got != want {
			t.Errorf("%s: %+v with password %q, %v", in, got, got.Password.Reveal(), err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for in, want := range map[string]string{
		"":                                  "scheme is missing",
		"broker.example":                    "scheme is missing",
		"broker.example:1883":               "scheme is missing",
		"u:s3cret@broker.example":           "scheme is missing",
		"tcp://h":                           `scheme "tcp"`,
		"http://h":                          `scheme "http"`,
		"u:s3cret@mqtt://h":                 "the scheme is none of",
		"s3cret-word://h":                   "the scheme is none of",
		"://h":                              "the scheme",
		"mqtt://":                           "host is missing",
		"mqtt://:1883":                      "host is missing",
		"mqtt:///x":                         "host is missing",
		"mqtt://u:s3cret@":                  "host is missing",
		"mqtt://h:":                         "port",
		"mqtt://h:0":                        "port",
		"mqtt://h:65536":                    "port",
		"mqtt://h:-1":                       "port",
		"mqtt://h:+1":                       "port",
		"mqtt://u:s3cret":                   "port",
		"mqtt://u:987654":                   "port",
		"mqtt://h:99999999999999999999":     "port",
		"mqtt://u:%zz@h":                    "password has a \"%\"",
		"mqtt://u%:s3cret@h":                "user has a \"%\"",
		"mqtt://u:s3cret%@h":                "password has a \"%\"",
		"mqtt://:s3cret@h":                  "needs a user",
		"mqtt://u%ff:s3cret@h":              "UTF-8",
		"mqtt://u%00:s3cret@h":              "UTF-8",
		"mqtt://u:s3cret@x@h":               "%40",
		"mqtt://u:s3cret/x@h":               "%2F",
		"mqtt://u:12/s3cret@h":              "%2F",
		"ws://u:s3cret?@h":                  "%2F",
		"mqtt://h/mqtt":                     "path has no meaning",
		"mqtts://h/x":                       "path has no meaning",
		"ws://h/x?token=s3cret":             "query",
		"ws://h?x":                          "query",
		"ws://h/x#s3cret":                   "fragment",
		"mqtt://h#x":                        "fragment",
		"ws://h/%z":                         "path has a \"%\"",
		"ws://h/ä%2Fb":                      "path has a character",
		"mqtt://a b":                        "space",
		" mqtt://h":                         "space",
		"mqtt://h\n":                        "space",
		"mqtt://h\x00":                      "space",
		"mqtt://2001:db8::1":                "brackets",
		"mqtt://[::1":                       "brackets",
		"mqtt://[1.2.3.4]":                  "IPv6",
		"mqtt://[]":                         "IPv6",
		"mqtt://[::1%eth0]":                 "IPv6",
		"mqtt://[::1%25]":                   "IPv6",
		"mqtt://[::1%25%]":                  "IPv6",
		"mqtt://bücher.example":             "xn--",
		"mqtt://h..x":                       "valid name",
		"mqtt://.":                          "valid name",
		"mqtt://" + strings.Repeat("a", 64): "valid name",
		"mqtt://" + strings.Repeat("a.", 127) + "aa": "valid name",
		"mqtt://" + long + "@h":                      "65535",
		"mqtt://u:" + long + "@h":                    "65535",
	} {
		got, err := broker.ParseURI(in)
		if err == nil || !strings.Contains(err.Error(), want) || got != (broker.URI{}) {
			t.Errorf("%.60q: %v, %v, want an error with %q", in, got, err, want)
			continue
		}
		for _, part := range []string{"s3cret", "987654", "xxxx"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%.60q: the error repeats %q: %v", in, part, err)
			}
		}
	}
}

func TestURIForms(t *testing.T) {
	u, err := broker.ParseURI("wss://t%C3%A9l%2F:s3cret@[2001:db8::1]/x")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.String(), "wss://t%C3%A9l%2F:***@[2001:db8::1]:443/x"; got != want || u.Redacted() != want {
		t.Errorf("String and Redacted are %s and %s, want %s", got, u.Redacted(), want)
	}
	if got, want := u.Target(), "wss://[2001:db8::1]:443/x"; got != want {
		t.Errorf("Target is %s, want %s", got, want)
	}
	if got, want := u.Address(), "[2001:db8::1]:443"; got != want {
		t.Errorf("Address is %s, want %s", got, want)
	}
	if !u.Secure() {
		t.Error("wss is not secure")
	}
	if plain, err := broker.ParseURI("ws://h"); err != nil || plain.Secure() || plain.String() != "ws://h:80/mqtt" {
		t.Errorf("ws: %v, %v", plain, err)
	}
}

// Whatever is printed of a URI, of options with it or of a failure to parse or reach it, the password is not in it.
func TestThePasswordIsNeverPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringMatching(`[A-Za-z0-9]{12}`).Draw(t, "password")
		encoded := url.PathEscape(password)
		text := rapid.SampledFrom([]string{
			"mqtt://u:%s@h", "wss://u:%s@h:9/x", "mqtt://u:%s", "mqtt://u:%s@", "mqtt://%s@h/x", "u:%s@h", "mqtt://u:%s@h:x",
			"ws://u:a/%s@h", "mqtt://u:%s@@h", "mqtt://u:%s%%@h", "mqtt://:%s@h", "%s://h", "mqtt://h:%s", "mqtt://[%s", "ws://h?%s",
		}).Draw(t, "form")
		u, err := broker.ParseURI(fmt.Sprintf(text, encoded))
		if err != nil {
			if strings.Contains(err.Error(), password) {
				t.Fatalf("error: %v", err)
			}
			return
		}
		if u.Password.IsZero() { // the draw was a user name, which is no secret
			return
		}
		encodedJSON, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		shown := string(encodedJSON) + u.Redacted() + u.Target() + u.Address()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown += fmt.Sprintf(verb, u) + fmt.Sprintf(verb, &u) + fmt.Sprintf(verb, broker.Options{URI: u})
		}
		for _, form := range []string{"%s", "%x", "%X", "%v"} {
			if leak := fmt.Sprintf(form, []byte(password)); strings.Contains(shown, leak) {
				t.Fatalf("%q shows the password", shown)
			}
		}
	})
}

func FuzzParseURI(f *testing.F) {
	for _, seed := range []string{
		"mqtt://broker.example", "mqtts://user:p%40ss@broker.example:8883", "wss://h/x%20y", "mqtt://[2001:db8::1]:1",
		"ws://u@h/@", "mqtt://u:%zz@h", "mqtt://h?x#y", "mqtt://ü:ß@h", "ws://[fe80::1%25eth0]/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		u, err := broker.ParseURI(in)
		if err != nil {
			if u != (broker.URI{}) {
				t.Fatalf("%q: both %+v and %v", in, u, err)
			}
			return
		}
		if u.Host == "" || u.Port == "" || !utf8.ValidString(u.User) || (u.User == "" && !u.Password.IsZero()) {
			t.Fatalf("%q: %+v", in, u)
		}
		if (u.Path != "") != strings.HasPrefix(u.Scheme, "ws") {
			t.Fatalf("%q: path %q", in, u.Path)
		}
		// What is printed is a URI of the same broker, and the standard library agrees about it.
		password := strings.ReplaceAll(url.QueryEscape(u.Password.Reveal()), "+", "%20")
		again, err := broker.ParseURI(strings.Replace(u.String(), ":***@", ":"+password+"@", 1))
		if err != nil || again != u {
			t.Fatalf("%q: %v is read as %+v, %v", in, u, again, err)
		}
		standard, err := url.Parse(u.Target())
		if err != nil || standard.Hostname() != u.Host || standard.Port() != u.Port || standard.EscapedPath() != u.Path {
			t.Fatalf("%q: %s is %+v for net/url, %v", in, u.Target(), standard, err)
		}
	})
}
