package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxArchive is the most messages that one call of the REST source returns.
const maxArchive = 10_000

// archiveTime is yyyymmddHHMMSS, in UTC.
const archiveTime = "20060102150405"

// archiveID orders the frames of the archive: by time, then by generation. It is written "MICROSECONDS-NUMBER".
type archiveID struct {
	time   int64
	number uint64
}

func (id archiveID) String() string { return fmt.Sprintf("%d-%d", id.time, id.number) }

func (id archiveID) compare(other archiveID) int {
	return cmp.Or(cmp.Compare(id.time, other.time), cmp.Compare(id.number, other.number))
}

// idOf counts an uplink's copies, three at most, with the message.
func idOf(it item) archiveID { return archiveID{it.m.timeOf(it.copy), it.m.n<<2 | uint64(it.copy)} }

// ArchiveEntry is one element of the JSON array that the REST source answers with, oldest first.
type ArchiveEntry struct {
	// ID is what from_id and to_id take. It sorts by time.
	ID string `json:"id"`
	// Message is the frame as a stream has it live, byte for byte.
	Message json.RawMessage `json:"message"`
}

// archiveQuery is what a client asked of the REST source.
type archiveQuery struct {
	*query
	from, to     int64 // meta.time in microseconds: from ≤ time < to
	fromID, toID archiveID
	limit        int
}

// parseArchive reads the parameters of the REST source: those of a stream that select messages, and a stretch of time.
// As in the vendor's documents `from` includes its edge and `to` excludes it, and one of from and from_id is required.
func parseArchive(values url.Values, filters map[string]sieve, now time.Time) (*archiveQuery, error) {
	q, err := parseQuery(values, filters)
	if err != nil {
		return nil, err
	}
	a := &archiveQuery{query: q, toID: archiveID{1<<63 - 1, 1<<64 - 1}}
	if !values.Has("from") && !values.Has("from_id") {
		return nil, malformed("one of from and from_id is required")
	}
	if a.from, err = parseArchiveTime(values, "from", time.Unix(0, 0)); err != nil {
		return nil, err
	}
	if a.to, err = parseArchiveTime(values, "to", now); err != nil {
		return nil, err
	}
	if a.fromID, err = parseArchiveID(values, "from_id", a.fromID); err != nil {
		return nil, err
	}
	if a.toID, err = parseArchiveID(values, "to_id", a.toID); err != nil {
		return nil, err
	}
	a.limit, err = parseCount(values, "limit", 1, maxArchive, maxArchive)
	return a, err
}

func parseArchiveTime(values url.Values, name string, instead time.Time) (int64, error) {
	if !values.Has(name) {
		return instead.UnixMicro(), nil
	}
	t, err := time.ParseInLocation(archiveTime, values.Get(name), time.UTC)
	if err != nil || len(values.Get(name)) != len(archiveTime) {
		return 0, malformed("%s is %q; must be yyyymmddHHMMSS", name, values.Get(name))
	}
	return t.UnixMicro(), nil
}

func parseArchiveID(values url.Values, name string, instead archiveID) (archiveID, error) {
	if !values.Has(name) {
		return instead, nil
	}
	left, right, _ := strings.Cut(values.Get(name), "-")
	micros, errTime := strconv.ParseInt(left, 10, 64)
	number, errNumber := strconv.ParseUint(right, 10, 64)
	if errTime != nil || errNumber != nil {
		return archiveID{}, malformed("%s is %q, which is no message's id", name, values.Get(name))
	}
	return archiveID{micros, number}, nil
}

// archived lists up to the limit of what the query asks for, oldest first.
func (h *history) archived(q *archiveQuery, gatewayOf func(*packet, int) string, now time.Time) []item {
	var out []item
	for _, m := range h.long {
		if age := now.Sub(m.at); age > h.cfg.Archive || age < h.cfg.ArchiveDelay {
			continue
		}
		for _, it := range expand(m, q.query, gatewayOf) {
			id := idOf(it)
			if id.time >= q.from && id.time < q.to && id.compare(q.fromID) >= 0 && id.compare(q.toID) <= 0 {
				out = append(out, it)
			}
		}
	}
	slices.SortFunc(out, func(a, b item) int { return idOf(a).compare(idOf(b)) })
	return out[:min(len(out), q.limit)]
}

func (n *NS) serveArchive(w http.ResponseWriter, r *http.Request) {
	now := n.cfg.Now()
	q, err := parseArchive(r.URL.Query(), n.filters, now)
	if err != nil {
		n.refuse(w, r, err)
		return
	}
	n.mu.Lock()
	items := n.history.archived(q, n.gen.gatewayOf, now)
	n.mu.Unlock()
	body := []byte{'['}
	for i, it := range items {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, fmt.Sprintf(`{"id":"%s","message":`, idOf(it))...)
		body = n.gen.render(body, it.m, view{radio: q.radio, lora: q.lora, copy: it.copy})
		body = append(body, '}')
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, ']')) // a client that is gone needs no answer
}
