package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func archive(t *testing.T, ns *NS, query string) (entries []ArchiveEntry) {
	t.Helper()
	status, body := get(t, ns, HistoryPath+"?access_token=t&"+query)
	if status != 200 {
		t.Fatalf("%q: %d %s", query, status, body)
	}
	if err := json.Unmarshal(body, &entries); err != nil {
		t.Fatalf("%q: %v", query, err)
	}
	return entries
}

func sameEntries(t *testing.T, what string, got []ArchiveEntry, want []Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d entries, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if !bytes.Equal(got[i].Message, want[i].Raw) {
			t.Errorf("%s: entry %d is\n%s\nwant\n%s", what, i, got[i].Message, want[i].Raw)
		}
	}
}

func TestTheArchiveKeepsUplinksAndDownlinksForThirtyDays(t *testing.T) {
	clock := newFakeClock()
	ns := newNS(t, Config{Seed: 1, Now: clock.Now, Filters: map[string]Filter{"all": {}}})
	const query = "filter=all&from=20231101000000"
	var want []Message
	for _, kind := range generated {
		m := emit(t, ns, Order{Type: kind})
		if kind == dataapi.Uplink || kind == dataapi.Downlink {
			want = append(want, m)
		}
	}
	slices.SortFunc(want, func(a, b Message) int { return int(a.facts.time - b.facts.time) })
	clock.advance(30*time.Second - 1)
	sameEntries(t, "before 30 s", archive(t, ns, query), nil)
	clock.advance(1)
	sameEntries(t, "after 30 s", archive(t, ns, query), want)
	clock.advance(30*24*time.Hour - 30*time.Second)
	sameEntries(t, "after 30 days", archive(t, ns, query), want)
	clock.advance(1)
	sameEntries(t, "after more", archive(t, ns, query), nil)
}

func TestTheArchiveIsReadByTimeAndPagedByID(t *testing.T) {
	clock := newFakeClock() // 2023-11-14 22:13:20.123456 UTC
	ns := newNS(t, Config{Seed: 2, Now: clock.Now})
	var all []Message
	for range 100 {
		all = append(all, emit(t, ns, Order{}))
		clock.advance(time.Second)
	}
	clock.advance(time.Minute)
	entries := archive(t, ns, "from=20231114221319")
	sameEntries(t, "all", entries, all)
	if !slices.IsSortedFunc(entries, func(a, b ArchiveEntry) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("ids do not sort by time")
	}
	sameEntries(t, "up to a time", archive(t, ns, "from=20231114221319&to=20231114221330"), all[:10])
	sameEntries(t, "from a time", archive(t, ns, "from=20231114221331"), all[11:])
	sameEntries(t, "limited", archive(t, ns, "from=20231114221319&limit=7"), all[:7])
	sameEntries(t, "by ids", archive(t, ns, "from_id="+entries[10].ID+"&to_id="+entries[20].ID), all[10:21])
	sameEntries(t, "by the narrower of both", archive(t, ns, "from=20231114221331&from_id="+entries[5].ID), all[11:])

	var paged []ArchiveEntry
	for next := "from=20231114221319"; ; next = "from_id=" + paged[len(paged)-1].ID {
		page := archive(t, ns, next+"&limit=9")
		if len(paged) > 0 {
			page = page[1:] // both edges are included
		}
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	sameEntries(t, "in pages", paged, all)
}

func TestTheArchiveIsSeenAsAsked(t *testing.T) {
	clock := newFakeClock()
	ns := newNS(t, Config{Seed: 3, Now: clock.Now})
	frames := 0
	for range 20 {
		frames += emit(t, ns, Order{}).facts.copies
	}
	clock.advance(time.Minute)
	entries := archive(t, ns, "from=20231114000000&duplicate=1&radio=1")
	ids := make(map[string]bool)
	for _, e := range entries {
		ids[e.ID] = true
		if read(t, e.Message).Params["radio"] == nil {
			t.Fatal("no radio block")
		}
	}
	if len(entries) != frames || len(ids) != frames {
		t.Errorf("%d entries with %d ids, want %d", len(entries), len(ids), frames)
	}
	device := ns.Devices()[0]
	for _, e := range archive(t, ns, "from=20231114000000&devices="+device) {
		if read(t, e.Message).Meta["device"] != device {
			t.Error("another device")
		}
	}
}

func TestTheArchiveGivesTenThousandAtMost(t *testing.T) {
	clock := newFakeClock()
	ns := newNS(t, Config{Now: clock.Now})
	for range maxArchive + 1 {
		ns.happen(ns.gen.make(ns.gen.traffic, dataapi.Uplink, ns.gen.devices[0], clock.Now()), nil)
	}
	clock.advance(time.Minute)
	status, body := get(t, ns, HistoryPath+"?access_token=t&from=20231114000000")
	if n := bytes.Count(body, []byte(`"message":`)); status != 200 || n != maxArchive {
		t.Errorf("%d with %d messages", status, n)
	}
}

func TestWhatIsWrongWithAnArchiveQuery(t *testing.T) {
	ns := newNS(t, Config{})
	for query, want := range map[string]int{
		"":                                400,
		"from=2023":                       400,
		"from=20231314000000":             400,
		"from=2023-11-14":                 400,
		"from=20231114000000&to=now":      400,
		"from=20231114000000&limit=0":     400,
		"from=20231114000000&limit=10001": 400,
		"from=20231114000000&filter=f":    404,
		"from=20231114000000&types=uplink&filter=f": 400,
		"from_id=abc":         400,
		"from_id=1-2&to_id=1": 400,
		"from_id=1-2":         200,
	} {
		status, body := get(t, ns, HistoryPath+"?access_token=t&"+query)
		var told struct{ Error string }
		if status != want || want != 200 && (json.Unmarshal(body, &told) != nil || told.Error == "") {
			t.Errorf("%q: %d %s, want %d", query, status, body, want)
		}
	}
}

func TestOverHTTP(t *testing.T) {
	ns := start(t, Config{})
	if want := fmt.Sprintf("http://%s/api/v1.0/history/data", ns.Addr()); ns.HistoryURL() != want {
		t.Errorf("HistoryURL is %s, want %s", ns.HistoryURL(), want)
	}
}
