package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/endpoint"
	"github.com/lorry-mqtt/lorry/internal/source"
)

const (
	pingInterval = 200 * time.Millisecond
	// streamTimeout is how long a stream may be silent, beginning with its first PING.
	streamTimeout = 5 * time.Second
)

func probeSource(ctx context.Context, spec connection.Spec, dial endpoint.Dial) []Stage {
	c := newCourse(spec)
	o := endpoint.Source(spec, dial)
	o.PingInterval, o.Silence, o.ConnectTimeout = pingInterval, streamTimeout, time.Duration(spec.MQTT.ConnectTimeout)
	alive := make(chan struct{})
	o.Reached = func(s source.Stage) {
		c.passed(string(s), "")
		if s == source.StageStream {
			close(alive)
		}
	}
	session, err := source.DialWebSocket(c.traced(ctx), o)
	if err != nil {
		stage, mend, cause := explainSource(err)
		c.failed(string(stage), "", cause.Error(), mend)
		return c.report()
	}
	defer func() { _ = session.Close() }()
	ended := make(chan error, 1)
	reading, stop := context.WithCancel(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			if _, err := session.Read(reading); err != nil {
				ended <- err
				return
			}
		}
	}()
	defer func() { stop(); <-read }()
	select {
	case <-alive:
	case err := <-ended:
		c.endOfStream(err)
	}
	return c.report()
}

// endOfStream explains why a stream ended, or was waited for in vain, before it was of any use.
func (c *course) endOfStream(err error) {
	if over, ok := errors.AsType[*source.EndedError](err); ok && over.Reason == source.EndSilence {
		err = fmt.Errorf("no PONG and no message within %v", streamTimeout)
	}
	c.failed(StageStream, "", err.Error(), mendStream)
}
