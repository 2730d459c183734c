package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// A demo that could not see a loss would prove nothing.
func TestAccount(t *testing.T) {
	began := time.Now()
	raw := func(i int) []byte {
		return fmt.Appendf(nil, `{"type":"uplink","meta":{"device":"0004a30b001c8d5e","time":%d.5},"params":{"counter_up":%d}}`, 1700000000+i, i)
	}
	sent := []simulator.Message{
		{Raw: raw(1), Type: dataapi.Uplink, At: began},
		{Raw: raw(2), Type: dataapi.DownlinkRequest, At: began},
		{Raw: raw(3), Type: dataapi.Uplink, At: began},
	}
	a := newAccount()
	for i, after := range map[int]time.Duration{1: 10 * time.Millisecond, 2: 30 * time.Millisecond} {
		if err := a.arrived(raw(i), began.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.arrived(raw(2), began.Add(time.Hour)); err != nil { // again: the first counts
		t.Fatal(err)
	}
	a.answer()
	s, err := a.settle(sent)
	want := Summary{Sent: 3, Received: 3, Lost: 1, Duplicated: 1, Requests: 1, Answered: 1, P50: 30 * time.Millisecond, P99: 30 * time.Millisecond}
	if err != nil || s != want || s.OK() {
		t.Errorf("%+v, %v\nwant %+v", s, err, want)
	}
	if s, err = a.settle(sent[:2]); err != nil || s.Lost != 0 || !s.OK() {
		t.Errorf("%+v, %v", s, err)
	}
	if (Summary{}).OK() {
		t.Error("nothing sent is no success")
	}
	if err := a.arrived([]byte("no frame"), began); err == nil {
		t.Error("what is no frame was booked")
	}

	var table strings.Builder
	if err := want.Print(&table); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"lost                                 1\n", "duplicated                           1\n", "answered                   1 of 1, 0 in time\n"} {
		if !strings.Contains(table.String(), line) {
			t.Errorf("the table lacks %q:%s", line, table.String())
		}
	}
}
