package scenario

import "time"

// series is how a count grew.
type series []sample

type sample struct {
	at    time.Time
	count float64
}

// rate is the growth a second from the first sample to the last; 0 if there is no time between.
func (s series) rate() float64 {
	if len(s) < 2 {
		return 0
	}
	first, last := s[0], s[len(s)-1]
	return perSecond(last.count-first.count, last.at.Sub(first.at))
}

// slowest is the least growth a second over any stretch of samples as long as span or just longer; the rate of all if
// the series is shorter.
func (s series) slowest(span time.Duration) float64 {
	least := s.rate()
	from := 0
	for to := range s {
		for from+1 < to && s[to].at.Sub(s[from+1].at) >= span {
			from++
		}
		if d := s[to].at.Sub(s[from].at); d >= span {
			least = min(least, perSecond(s[to].count-s[from].count, d))
		}
	}
	return least
}

// underWay is the stretch in which the count moves: without the samples before it has begun to, and without the one that
// finds it complete, as it may have been so for all of the time between two. That one stays if the count has not moved
// before.
func (s series) underWay(complete float64) series {
	for len(s) > 2 && s[0].count == 0 {
		s = s[1:]
	}
	if n := len(s); n > 2 && s[n-1].count >= complete && s[n-2].count > s[0].count {
		return s[:n-1]
	}
	return s
}

func perSecond(n float64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return n / d.Seconds()
}
