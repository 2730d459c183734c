package simulator

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTrafficKeepsItsRate(t *testing.T) {
	for _, c := range []struct {
		arrivals        Arrivals
		lowest, highest uint64
	}{{Even, 1000, 1000}, {Poisson, 900, 1100}} {
		synctest.Test(t, func(t *testing.T) {
			ns, p := startPiped(t, Config{Seed: 1, Rate: 100, Arrivals: c.arrivals, Filters: map[string]Filter{"all": {}}})
			client := dial(t, ns, p, "filter=all")
			time.Sleep(10*time.Second + 1)
			synctest.Wait()
			s := ns.Stats()
			if s.Generated < c.lowest || s.Generated > c.highest {
				t.Errorf("%s: %d messages in 10 s at 100 a second", c.arrivals, s.Generated)
			}
			if n := len(client.pending()); uint64(n) != s.Generated || s.Sent != s.Generated {
				t.Errorf("%d frames arrived of %d generated: %+v", n, s.Generated, s)
			}
			ns.SetRate(0)
			synctest.Wait()
			before := ns.Stats().Generated
			time.Sleep(time.Hour)
			if after := ns.Stats().Generated; after != before {
				t.Errorf("%d messages at a rate of 0", after-before)
			}
			ns.SetRate(10)
			time.Sleep(100 * time.Second)
			synctest.Wait()
			if n := ns.Stats().Generated - before; n < 800 || n > 1200 {
				t.Errorf("%d messages in 100 s at 10 a second", n)
			}
		})
	}
}

func TestEvenTrafficIsEven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, _ := startPiped(t, Config{Rate: 4, Arrivals: Even, Record: 100})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		all := ns.Messages()
		for i := 1; i < len(all); i++ {
			if gap := all[i].At.Sub(all[i-1].At); gap != 250*time.Millisecond {
				t.Errorf("%v between two messages", gap)
			}
		}
		if len(all) != 20 {
			t.Errorf("%d messages in 5 s at 4 a second", len(all))
		}
	})
}

// The default mix makes an AS's day: requests are answered, and nothing else goes wrong.
func TestAnApplicationAnswersTheRequestsOfTheMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 11, Rate: 20})
		c := dial(t, ns, p, "types=downlink_request,downlink,warning,error")
		answered, transmitted := 0, 0
		end := time.Now().Add(2 * time.Minute)
		for time.Now().Before(end) {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			for _, f := range c.pending() {
				switch e := read(t, f); {
				case e.Type == "downlink_request" && time.Until(end) > 6*time.Second:
					c.send(t, response(t, f, doc{"payload": "AQID"}))
					answered++
				case e.Type == "downlink" && e.Params["payload"] == "AQID":
					transmitted++
				}
			}
		}
		s := ns.Stats()
		if answered < 50 || transmitted != answered || s.Accepted != uint64(answered) || s.Received != s.Accepted {
			t.Errorf("%d answered, %d transmitted: %+v", answered, transmitted, s)
		}
	})
}
