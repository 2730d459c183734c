package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// Accepted says that a command will be carried out.
type Accepted struct {
	ID string `json:"id"`
	Do string `json:"do" doc:"What will be done"`
}

type acceptedOutput struct{ Body Accepted }

type probeOutput struct{ Body ProbeReport }

// ReplayRequest is a stretch of time, of the Network Server's clock.
type ReplayRequest struct {
	From   time.Time  `json:"from" doc:"The first meta.time to deliver again"`
	To     *time.Time `json:"to,omitempty" doc:"The first one not to; now when left out"`
	DryRun bool       `json:"dry_run,omitempty" doc:"Count the frames, and deliver nothing"`
}

type replayInput struct {
	ByID
	Body ReplayRequest
}

// ReplayAnswer is what a replay is about to deliver.
type ReplayAnswer struct {
	Frames uint64    `json:"frames" doc:"How many stored frames lie in the stretch"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	DryRun bool      `json:"dry_run"`
}

type replayOutput struct {
	Status int
	Body   ReplayAnswer
}

func (m *management) commands() {
	command := func(name, summary, description string, do func(context.Context, *ByID) (*acceptedOutput, error)) {
		op := operation(http.MethodPost, "/connections/{id}/"+name, name+"-connection", summary, description, http.StatusNotFound)
		op.DefaultStatus = http.StatusAccepted
		huma.Register(m.api, op, do)
	}
	command("pause", "Pause a connection", "Frames are stored and not published until it is resumed, over restarts of the node, too.", m.pause)
	command("resume", "Resume a connection", "It publishes from where it was paused on.", m.resume)
	command("restart", "Restart a connection", "It is drained, stopped and started anew. Nothing is lost.", m.restart)
	huma.Register(m.api, operation(http.MethodPost, "/connections/{id}/test", "test-connection", "Test a connection",
		"Takes stage after stage of both ends, with a client ID of its own, and disturbs no session that runs.",
		http.StatusNotFound, http.StatusNotImplemented), m.test)
	replay := operation(http.MethodPost, "/connections/{id}/replay", "replay-connection", "Deliver a stretch of time again",
		"What is stored of it, at a bounded rate, besides what is delivered live. The connection's log tells how far it is.",
		http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusNotImplemented)
	replay.DefaultStatus = http.StatusAccepted
	huma.Register(m.api, replay, m.replay)
}

func (m *management) pause(ctx context.Context, in *ByID) (*acceptedOutput, error) {
	return m.command(ctx, in, "pause", "paused", m.service(ctx).Registry.Pause)
}

func (m *management) resume(ctx context.Context, in *ByID) (*acceptedOutput, error) {
	return m.command(ctx, in, "resume", "resumed", m.service(ctx).Registry.Resume)
}

func (m *management) restart(ctx context.Context, in *ByID) (*acceptedOutput, error) {
	return m.command(ctx, in, "restart", "restarted", func(_ context.Context, id string) error {
		return m.service(ctx).Runner.Restart(id)
	})
}

func (m *management) command(ctx context.Context, in *ByID, do, done string, by func(context.Context, string) error) (*acceptedOutput, error) {
	if _, err := m.find(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := by(ctx, in.ID); err != nil {
		return nil, m.failed(err)
	}
	m.service(ctx).tell(in.ID, done)
	return &acceptedOutput{Accepted{in.ID, do}}, nil
}

func (m *management) test(ctx context.Context, in *ByID) (*probeOutput, error) {
	e, err := m.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	service := m.service(ctx)
	if service.Prober == nil {
		return nil, notHere("test connections")
	}
	complete := e.Spec.WithDefaults(service.Source)
	if faults := complete.Validate(); len(faults) > 0 {
		return nil, faulty(faults)
	}
	report, err := m.probe(ctx, complete)
	if err != nil {
		return nil, err
	}
	return &probeOutput{report}, nil
}

// probe tests a connection, unless too many tests are under way.
func (m *management) probe(ctx context.Context, spec connection.Spec) (ProbeReport, error) {
	select {
	case m.tests <- struct{}{}:
		defer func() { <-m.tests }()
		return m.service(ctx).Prober.Probe(ctx, spec), nil
	default:
		err := huma.Error429TooManyRequests("as many tests are under way as this node does at once: try again in some seconds")
		return ProbeReport{}, huma.ErrorWithHeaders(err, http.Header{"Retry-After": {"5"}})
	}
}

func (m *management) replay(ctx context.Context, in *replayInput) (*replayOutput, error) {
	if _, err := m.find(ctx, in.ID); err != nil {
		return nil, err
	}
	to := time.Now()
	if in.Body.To != nil {
		to = *in.Body.To
	}
	if !in.Body.From.Before(to) {
		return nil, huma.Error422UnprocessableEntity("the stretch is empty", &huma.ErrorDetail{Location: "body.from", Message: "must be before to"})
	}
	service := m.service(ctx)
	if service.Replayer == nil {
		return nil, notHere("replay")
	}
	frames, err := service.Replayer.Count(ctx, in.ID, in.Body.From, to)
	if err != nil {
		return nil, m.failed(err)
	}
	out := &replayOutput{http.StatusOK, ReplayAnswer{frames, in.Body.From, to, in.Body.DryRun}}
	if in.Body.DryRun {
		return out, nil
	}
	if err := service.Replayer.Start(ctx, in.ID, in.Body.From, to); err != nil {
		return nil, m.failed(err)
	}
	out.Status = http.StatusAccepted
	service.tell(in.ID, "replay from "+in.Body.From.Format(time.RFC3339)+" to "+to.Format(time.RFC3339))
	return out, nil
}

// notHere is the answer of a node that lacks what an operation works on.
func notHere(what string) error {
	return huma.Error501NotImplemented("this node cannot " + what)
}
