package probe

import (
	"context"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// course is the way to one end as far as it has been gone. Its methods may be called by any goroutine.
type course struct {
	mask *strings.Replacer

	mu     sync.Mutex
	stages []Stage
	since  time.Time // the end of the last stage
	over   bool      // a stage has failed
}

func newCourse(spec connection.Spec) *course {
	return &course{mask: masking(spec), since: time.Now(), stages: []Stage{}}
}

// masking replaces the connection's secrets, which a server may send back in the words of a refusal.
func masking(spec connection.Spec) *strings.Replacer {
	secrets := []string{spec.Source.AccessToken.Reveal()}
	if uri, err := broker.ParseURI(spec.URI.Reveal()); err == nil {
		secrets = append(secrets, uri.Password.Reveal())
	}
	for _, value := range spec.WebSocket.Headers {
		secrets = append(secrets, value.Reveal())
	}
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, secret.Mask, url.QueryEscape(s), secret.Mask, url.PathEscape(s), secret.Mask)
		}
	}
	return strings.NewReplacer(pairs...)
}

// traced has the resolution of the host's name noted as a stage.
func (c *course) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{DNSDone: func(info httptrace.DNSDoneInfo) {
		if info.Err == nil {
			c.passed(StageDNS, "")
		}
	}})
}

// passed notes that a stage is behind, unless one has failed.
func (c *course) passed(name, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.add(Stage{Name: name, OK: true, Detail: detail})
}

// failed notes that the way ends in a stage. What was noted of it or of what follows it is void: a server may refuse a
// client's certificate when the client has TLS behind it (RFC 8446 §4.4.2.4).
func (c *course) failed(name, detail, cause, mend string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.stages, func(s Stage) bool { return s.Name == name }); i >= 0 {
		c.stages = c.stages[:i]
	}
	c.over = true
	c.add(Stage{Name: name, Detail: detail, Error: c.mask.Replace(cause), Mend: c.mask.Replace(mend)})
}

func (c *course) add(s Stage) {
	now := time.Now()
	s.Duration = connection.Duration(now.Sub(c.since).Round(time.Microsecond))
	c.since = now
	c.stages = append(c.stages, s)
}

// report is how far it has been gone.
func (c *course) report() []Stage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.stages)
}
