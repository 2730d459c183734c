package connection_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
)

func TestMaskedURIs(t *testing.T) {
	for whole, want := range map[string]string{
		"":                                       "",
		"mqtts://user:p%40ss@broker.example":     "mqtts://user:***@broker.example",
		"MQTT://user:pw@broker.example:1883":     "MQTT://user:***@broker.example:1883",
		"mqtt://:pw@broker.example":              "mqtt://:***@broker.example",
		"mqtt://user@broker.example":             "mqtt://user@broker.example",
		"mqtt://broker.example:1883":             "mqtt://broker.example:1883",
		"wss://user:pw@[::1]:8884/a?b=c#d":       "wss://user:***@[::1]:8884/a?b=c#d",
		"mqtt://user:p@ss@broker.example":        "mqtt://user:***@broker.example", // not encoded, and so no URI
		"mqtt://user:p/ss@broker.example":        "mqtt://user:***@broker.example",
		"mqtt://user:p?s#s@broker.example":       "mqtt://user:***@broker.example",
		"mqtt://user:p://ss%zz@broker.example":   "mqtt://user:***@broker.example",
		"user:pw@broker.example":                 "user:***@broker.example",
		"user:p://w@broker.example":              "user:***@broker.example",
		"://user:pw@broker.example":              ":***@broker.example",
		"mqtt://user:\x00pw\n@broker.example:99": "mqtt://user:***@broker.example:99",
	} {
		u := connection.NewURI(whole)
		if got := u.String(); got != want {
			t.Errorf("%s shows itself as %s, want %s", whole, got, want)
		}
		if u.Reveal() != whole || u.IsZero() != (whole == "") || u != connection.NewURI(whole) {
			t.Errorf("%s is not itself", whole)
		}
	}
	if got := slog.AnyValue(connection.NewURI("mqtt://u:p@h")).Resolve().String(); got != "mqtt://u:***@h" {
		t.Errorf("slog records %s", got)
	}
}

// Whatever the password, if the URI is valid the mask hides it and nothing else.
func TestTheMaskHidesThePasswordOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringMatching(`[!-~]{1,20}`).Draw(t, "password")
		whole := "mqtts://user:" + password + "@broker.example:8883"
		if _, err := broker.ParseURI(whole); err != nil && !strings.ContainsAny(password, "@/?#%") {
			t.Fatalf("%s: %v", whole, err)
		}
		if got := connection.NewURI(whole).String(); got != "mqtts://user:***@broker.example:8883" {
			t.Fatalf("%s shows itself as %s", whole, got)
		}
	})
}

func TestURIScheme(t *testing.T) {
	for whole, want := range map[string]string{"": "", "MQTTS://h": "mqtts", "h": "", "u:p://h": "", "://h": ""} {
		if got := connection.NewURI(whole).Scheme(); got != want {
			t.Errorf("scheme of %s = %q, want %q", whole, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", 48 * time.Hour: "48h",
		time.Hour + time.Second: "1h0m1s", 65535 * time.Second: "18h12m15s", 10 * time.Minute: "10m",
		1500 * time.Millisecond: "1.5s", -time.Hour: "-1h", 20 * time.Hour: "20h", 100 * time.Microsecond: "100µs",
	} {
		var back connection.Duration
		if got := connection.Duration(d).String(); got != want {
			t.Errorf("%d is written %s, want %s", d, got, want)
		} else if err := back.UnmarshalText([]byte(got)); err != nil || time.Duration(back) != d {
			t.Errorf("%s is read as %d, %v", got, back, err)
		}
	}
	for _, bad := range []string{"", "30", "s", "1d", "1 s", "hunter2"} {
		var d connection.Duration
		if err := d.UnmarshalText([]byte(bad)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
