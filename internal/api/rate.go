package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds on how often one bearer, or one address that has no token, may ask.
const (
	defaultRate  = 200 // requests a second
	defaultBurst = 1000
	failedRate   = 1 // requests a second that present no token that is known
	failedBurst  = 30
	maxLimiters  = 10_000
	idleLimiter  = time.Minute // after which one is full again, or nearly
)

// rates holds a token bucket for each who asks.
type rates struct {
	perSecond rate.Limit
	burst     int

	mu       sync.Mutex
	limiters map[string]*limiter
}

type limiter struct {
	*rate.Limiter
	used time.Time
}

func newRates(perSecond float64, burst int) *rates {
	return &rates{perSecond: rate.Limit(perSecond), burst: burst, limiters: map[string]*limiter{}}
}

// take counts a request and reports whether it is allowed.
func (r *rates) take(key string) bool {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.limiters[key]
	if l == nil {
		if len(r.limiters) >= maxLimiters {
			r.makeRoom(now)
		}
		l = &limiter{Limiter: rate.NewLimiter(r.perSecond, r.burst)}
		r.limiters[key] = l
	}
	l.used = now
	return l.AllowN(now, 1)
}

// makeRoom forgets who has not asked for a while; if that is nobody, all of them.
func (r *rates) makeRoom(now time.Time) {
	for key, l := range r.limiters {
		if now.Sub(l.used) > idleLimiter {
			delete(r.limiters, key)
		}
	}
	if len(r.limiters) >= maxLimiters {
		clear(r.limiters)
	}
}
