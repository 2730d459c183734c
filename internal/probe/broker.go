package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/endpoint"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// brokerProbe is a session with the broker that is made for the test.
type brokerProbe struct {
	*course
	spec    connection.Spec
	options broker.Options
	session *broker.Session
	acked   chan struct{}
	lost    chan error // why the session ended by itself
}

func probeBroker(ctx context.Context, spec connection.Spec, dial endpoint.Dial) []Stage {
	p := &brokerProbe{course: newCourse(spec), spec: spec, acked: make(chan struct{}, 1), lost: make(chan error, 1)}
	p.run(ctx, dial)
	return p.report()
}

// run goes the way as far as it leads.
func (p *brokerProbe) run(ctx context.Context, dial endpoint.Dial) {
	template, err := topic.Compile(p.spec.TopicUp)
	if err != nil {
		p.failed(StageOptions, "", "topic_up: "+err.Error(), mendOptions)
		return
	}
	if p.options, err = endpoint.Broker(p.spec, dial); err != nil {
		p.failed(StageOptions, "", err.Error(), mendOptions)
		return
	}
	p.options.ClientID, p.options.Retain = clientID(), false
	p.options.Reached = func(s broker.Stage) { p.passed(string(s), "") }
	if !p.connect(ctx) {
		return
	}
	defer p.session.Close()
	if p.spec.TopicDown == "" || p.subscribe(ctx) {
		p.publish(ctx, string(template.Append(nil, &dataapi.Envelope{})))
	}
}

// clientID is one that nobody else has, of what every broker must accept: 1 to 23 letters and digits (MQTT 3.1.1
// §3.1.3.1).
func clientID() string { return ("lorrytest" + rand.Text())[:23] }

func (p *brokerProbe) connect(ctx context.Context) bool {
	session, err := broker.Connect(p.traced(ctx), p.options, broker.Events{
		Acknowledged: func(uint64) { p.acked <- struct{}{} },
		Lost:         func(err error) { p.lost <- err },
	})
	if err == nil {
		p.session = session
		return true
	}
	stage, mend, cause := explainBroker(err, broker.StageConnack)
	if stage == broker.StageConnack {
		mend += fmt.Sprintf("; the test connects as %s, not as %q: a broker that admits that one only refuses the test",
			p.options.ClientID, p.spec.MQTT.ClientID)
	}
	p.failed(string(stage), "", cause.Error(), strings.TrimPrefix(mend, "; "))
	return false
}

func (p *brokerProbe) subscribe(ctx context.Context) bool {
	filter, detail := unshared(p.spec.TopicDown)
	bounded, cancel := context.WithTimeoutCause(ctx, p.options.ConnectTimeout,
		fmt.Errorf("no SUBACK within %v", p.options.ConnectTimeout))
	defer cancel()
	err := p.session.Subscribe(bounded, filter)
	if err == nil {
		p.passed(StageSuback, detail)
		return true
	}
	_, mend, cause := explainBroker(err, broker.StageSuback)
	if errors.Is(err, broker.ErrSessionClosed) {
		cause, mend = p.ended(ctx), mendClosedOnSubscribe
	}
	p.failed(StageSuback, detail, cause.Error(), mend)
	return false
}

// unshared is the topic filter within a shared subscription, and what there is to say about that.
func unshared(filter string) (plain, detail string) {
	shared, ok := strings.CutPrefix(filter, "$share/")
	if !ok {
		return filter, ""
	}
	_, plain, _ = strings.Cut(shared, "/")
	return plain, fmt.Sprintf("subscribed to %q: a member of the shared subscription would take messages from the others", plain)
}

func (p *brokerProbe) publish(ctx context.Context, to string) {
	detail := fmt.Sprintf("published to %q", to)
	err := p.session.Publish(broker.Message{Seq: 1, Topic: to, Payload: testMessage(time.Now())})
	if err != nil && !errors.Is(err, broker.ErrSessionClosed) {
		p.failed(StagePuback, detail, err.Error(), "choose another topic_up")
		return
	}
	timeout := time.NewTimer(p.options.AckTimeout)
	defer timeout.Stop()
	select {
	case <-p.acked:
		p.passed(StagePuback, detail)
	case err := <-p.lost:
		p.failed(StagePuback, detail, cause(err).Error(), mendClosedOnPublish)
	case <-timeout.C:
		p.failed(StagePuback, detail, fmt.Sprintf("no PUBACK within %v", p.options.AckTimeout), mendNoPuback)
	case <-ctx.Done():
		p.failed(StagePuback, detail, context.Cause(ctx).Error(), mendNoPuback)
	}
}

// testMessage is a message that an application which understands the Data API passes over.
func testMessage(at time.Time) []byte {
	return fmt.Appendf(nil, `{"type":"info","meta":{"time":%.3f},"params":{"message":"Test of a connection by lorry, to be ignored"}}`,
		float64(at.UnixMilli())/1000)
}

// ended is why the session has ended, which is told soon after the first call that fails of it.
func (p *brokerProbe) ended(ctx context.Context) error {
	select {
	case err := <-p.lost:
		return cause(err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
