package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestWhatIsWrongWithAQueryIsSaidBeforeTheUpgrade(t *testing.T) {
	ns := newNS(t, Config{
		Tokens:  []string{"secret"},
		Filters: map[string]Filter{"59ae890a63c0f30009e95709": {Types: []dataapi.Type{dataapi.Uplink}}},
	})
	for _, c := range []struct {
		query  string
		status int
		names  string
	}{
		{"", 401, "access_token"},
		{"access_token=", 401, "access_token"},
		{"access_token=other", 401, "access_token"},
		{"access_token=other&filter=unknown", 401, "access_token"},
		{"access_token=secret&filter=unknown", 404, `"unknown"`},
		{"access_token=secret&filter=", 404, `""`},
		{"access_token=secret&filter=59ae890a63c0f30009e95709&types=uplink", 400, "types"},
		{"access_token=secret&filter=59ae890a63c0f30009e95709&gateways=a", 400, "gateways"},
		{"access_token=secret&filter=59ae890a63c0f30009e95709&applications=a", 400, "applications"},
		{"access_token=secret&filter=59ae890a63c0f30009e95709&devices=a", 400, "devices"},
		{"access_token=secret&filter=59ae890a63c0f30009e95709&tags=", 400, "tags"},
		{"access_token=secret&types=uplink,nonsense", 400, "nonsense"},
		{"access_token=secret&types=downlink_response", 400, "downlink_response"},
		{"access_token=secret&types=%zz", 400, "query"},
		{"access_token=secret&radio=yes", 400, "radio"},
		{"access_token=secret&lora=2", 400, "lora"},
		{"access_token=secret&duplicate=true", 400, "duplicate"},
		{"access_token=secret&radio=1&radio=1", 400, "radio"},
		{"access_token=secret&last_messages=1001", 400, "last_messages"},
		{"access_token=secret&last_messages=-1", 400, "last_messages"},
		{"access_token=secret&last_messages=", 400, "last_messages"},
		{"access_token=secret&last_messages=ten", 400, "last_messages"},
		{"access_token=secret&from_unixtime=", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=yesterday", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=-1", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=1.", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=.5", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=1e9", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=0x10", 400, "from_unixtime"},
		{"access_token=secret&from_unixtime=99999999999999999999", 400, "from_unixtime"},
		// Nothing is wrong with these but that they ask for no WebSocket.
		{"access_token=secret", 400, "WebSocket"},
		{"access_token=secret&filter=59ae890a63c0f30009e95709&last_messages=1000&from_unixtime=1700000000.5", 400, "WebSocket"},
	} {
		status, body := get(t, ns, DataPath+"?"+c.query)
		var told struct{ Error string }
		if err := json.Unmarshal(body, &told); err != nil {
			t.Errorf("%q: answer is no JSON: %v: %s", c.query, err, body)
		}
		if status != c.status || !strings.Contains(told.Error, c.names) {
			t.Errorf("%q: got %d %q, want %d naming %s", c.query, status, told.Error, c.status, c.names)
		}
	}
}

func TestOtherPathsAndMethodsAreRefused(t *testing.T) {
	ns := newNS(t, Config{})
	if status, _ := get(t, ns, "/api/v1.0/other?access_token=t"); status != http.StatusNotFound {
		t.Errorf("another path gives %d", status)
	}
	r, _ := http.NewRequest(http.MethodPost, "http://ns"+DataPath+"?access_token=t", nil)
	w := &recorder{header: http.Header{}}
	if ns.ServeHTTP(w, r); w.status != http.StatusMethodNotAllowed || w.header.Get("Allow") != http.MethodGet {
		t.Errorf("POST gives %d, Allow %q", w.status, w.header.Get("Allow"))
	}
}

func TestAnyTokenPassesWhereNoneIsConfigured(t *testing.T) {
	ns := newNS(t, Config{})
	if status, _ := get(t, ns, HistoryPath+"?access_token=anything&from=20200101000000"); status != http.StatusOK {
		t.Errorf("any token gives %d", status)
	}
	if status, _ := get(t, ns, HistoryPath+"?from=20200101000000"); status != http.StatusUnauthorized {
		t.Errorf("no token gives %d", status)
	}
}

func TestAMetaTimeTakenAsFromUnixtimeIsThatTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(0, 5_000_000_000_000_000).Draw(t, "micros")
		extra := rapid.StringMatching(`[0-9]{0,4}`).Draw(t, "beyond a microsecond")
		for _, text := range []string{unix(micros), unixFull(micros, extra)} {
			if got, err := parseUnix(text); err != nil || got != micros {
				t.Fatalf("parseUnix(%q) = %d, %v; want %d", text, got, err, micros)
			}
		}
	})
}

func TestAnyFilterStandsForThoseThatAreNotListed(t *testing.T) {
	ns := newNS(t, Config{Filters: map[string]Filter{AnyFilter: {}, "listed": {Types: []dataapi.Type{dataapi.Info}}}})
	for id, types := range map[string]bool{"listed": true, "whatever": false} {
		q, err := parseQuery(url.Values{"access_token": {"t"}, "filter": {id}}, ns.filters)
		if err != nil {
			t.Fatal(err)
		}
		if (q.sieve.types != nil) != types {
			t.Errorf("filter %q: types %v", id, q.sieve.types)
		}
	}
}
