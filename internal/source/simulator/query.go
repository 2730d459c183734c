package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// maxLastMessages is the most that last_messages may ask for.
const maxLastMessages = 1000

// selectors are the query parameters that stand in for a filter's id, and exclude it.
var selectors = []string{"types", "gateways", "applications", "devices", "tags"}

// query is what a client asked for in its URL.
type query struct {
	filter    string // the filter's id; empty when the client named none
	sieve     sieve
	radio     bool
	lora      bool
	duplicate bool
	last      int   // last_messages; 0 when absent
	from      int64 // from_unixtime in microseconds; −1 when absent
}

func (q *query) wantsHistory() bool { return q.last > 0 || q.from >= 0 }

// rejection is a query answered by an HTTP status instead of a stream.
type rejection struct {
	status int
	reason string
}

func (r *rejection) Error() string { return r.reason }

func malformed(format string, args ...any) error {
	return &rejection{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// parseQuery reads the parameters of a stream; its error is a *rejection.
func parseQuery(values url.Values, filters map[string]sieve) (*query, error) {
	q := &query{from: -1}
	for name, v := range values {
		if len(v) > 1 {
			return nil, malformed("%s is given %d times", name, len(v))
		}
	}
	var err error
	for _, flag := range []struct {
		name string
		to   *bool
	}{{"radio", &q.radio}, {"lora", &q.lora}, {"duplicate", &q.duplicate}} {
		if *flag.to, err = parseFlag(values, flag.name); err != nil {
			return nil, err
		}
	}
	if q.last, err = parseCount(values, "last_messages", 0, maxLastMessages, 0); err != nil {
		return nil, err
	}
	if values.Has("from_unixtime") {
		if q.from, err = parseUnix(values.Get("from_unixtime")); err != nil {
			return nil, err
		}
	}
	q.filter, q.sieve, err = parseSelection(values, filters)
	return q, err
}

// parseSelection reads `filter`, or else the parameters that stand in for it.
func parseSelection(values url.Values, filters map[string]sieve) (string, sieve, error) {
	if id := values.Get("filter"); values.Has("filter") {
		for _, name := range selectors {
			if values.Has(name) {
				return "", sieve{}, malformed("filter excludes %s: give one or the other", name)
			}
		}
		s, ok := filters[id]
		if !ok {
			s, ok = filters[AnyFilter]
		}
		if !ok {
			return "", sieve{}, &rejection{http.StatusNotFound, fmt.Sprintf("filter %q is unknown", id)}
		}
		return id, s, nil
	}
	f := Filter{Types: defaultTypes}
	for name, to := range map[string]*[]string{
		"gateways": &f.Gateways, "applications": &f.Applications, "devices": &f.Devices, "tags": &f.Tags,
	} {
		*to = commas(values.Get(name))
	}
	if names := commas(values.Get("types")); names != nil {
		f.Types = nil
		for _, name := range names {
			if !slices.Contains(generated, dataapi.Type(name)) {
				return "", sieve{}, malformed("types names %q, which is not a type that the NS sends", name)
			}
			f.Types = append(f.Types, dataapi.Type(name))
		}
	}
	return "", f.compile(), nil
}

func commas(list string) (out []string) {
	for v := range strings.SplitSeq(list, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func parseFlag(values url.Values, name string) (bool, error) {
	switch v := values.Get(name); v {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, malformed("%s is %q; must be 0 or 1", name, v)
	}
}

// parseCount reads a whole number from lowest to highest; absent gives instead.
func parseCount(values url.Values, name string, lowest, highest, instead int) (int, error) {
	if !values.Has(name) {
		return instead, nil
	}
	n, err := strconv.Atoi(values.Get(name))
	if err != nil || n < lowest || n > highest {
		return 0, malformed("%s is %q; must be a whole number from %d to %d", name, values.Get(name), lowest, highest)
	}
	return n, nil
}

// parseUnix reads Unix seconds with or without a fraction, as microseconds. What lies beyond a microsecond is cut off,
// never rounded up: from_unixtime must not pass the message that it was taken from.
func parseUnix(text string) (int64, error) {
	whole, fraction, dotted := strings.Cut(text, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if !digits(whole) || dotted && !digits(fraction) {
		return 0, malformed("from_unixtime is %q; must be Unix seconds, with or without a fraction", text)
	}
	if len(fraction) > 6 {
		fraction = fraction[:6]
	}
	micros, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 6-len(fraction)), 10, 64)
	if err != nil {
		return 0, malformed("from_unixtime is %q, beyond any time", text)
	}
	return micros, nil
}
