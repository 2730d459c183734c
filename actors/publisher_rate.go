package actors

import "time"

// allowed is how many of n publishes mqtt.max_rate allows now; for the rest a timer is set.
func (p *publisher) allowed(n int) int {
	if p.limit == nil || n == 0 {
		return n
	}
	if p.throttle != nil {
		return 0
	}
	now := time.Now()
	granted := min(n, int(p.limit.TokensAt(now)))
	p.limit.AllowN(now, granted)
	if granted == 0 {
		wait := p.limit.ReserveN(now, 1)
		p.throttle = p.life.after(wait.DelayFrom(now), rateReleased{})
		wait.CancelAt(now)
	}
	return granted
}
