package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/lorry-mqtt/lorry/internal/eventlog"
)

const (
	eventStream = "text/event-stream"
	// keepAlive is the longest silence of a log that is followed: proxies cut off what is silent for long.
	keepAlive = 15 * time.Second
	// eventTimeout bounds how long a follower may take for one event.
	eventTimeout = 10 * time.Second
)

type logInput struct {
	ByID
	Accept      string `header:"Accept" doc:"text/event-stream follows the log"`
	LastEventID uint64 `header:"Last-Event-ID" doc:"With text/event-stream: only events behind this one"`
}

// EventList is a connection's last events, the oldest first.
type EventList struct {
	Events []eventlog.Event `json:"events"`
}

func (m *management) events() {
	op := operation(http.MethodGet, "/connections/{id}/log", "get-log", "Get a connection's log",
		"Its last 200 events: state changes, errors, discards. With `Accept: text/event-stream` those and then each as it happens.",
		http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		jsonType:    {Schema: huma.SchemaFromType(m.api.OpenAPI().Components.Schemas, typeOf[EventList]())},
		eventStream: {Schema: &huma.Schema{Type: huma.TypeString, Description: "Each event's id is its number, its data the event as JSON"}},
	}}}
	huma.Register(m.api, op, m.eventLog)
}

func (m *management) eventLog(ctx context.Context, in *logInput) (*huma.StreamResponse, error) {
	e, err := m.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	log := m.service(ctx).Events
	if strings.Contains(in.Accept, eventStream) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { m.follow(ctx, log, e.Spec.ID, in.LastEventID) }}, nil
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", jsonType)
		if err := json.NewEncoder(ctx.BodyWriter()).Encode(EventList{log.Last(e.Spec.ID)}); err != nil {
			m.log.Debug().Err(err).Msg("http client went away")
		}
	}}, nil
}

// follow sends events until the client goes, is too slow, or the node ends.
func (m *management) follow(ctx huma.Context, log *eventlog.Log, id string, after uint64) {
	request, writer := humago.Unwrap(ctx)
	control := http.NewResponseController(writer)
	past, live, stop := log.Follow(id)
	defer stop()
	ctx.SetHeader("Content-Type", eventStream)
	ctx.SetHeader("X-Accel-Buffering", "no") // nginx would hold events back
	send := func(text string) bool {
		err := control.SetWriteDeadline(time.Now().Add(eventTimeout))
		if err == nil {
			_, err = fmt.Fprint(writer, text)
		}
		if err == nil {
			err = control.Flush()
		}
		return err == nil
	}
	ok := send(": the log of " + id + "\n\n")
	for _, e := range past {
		if e.Number > after {
			ok = ok && send(message(e))
		}
	}
	silence := time.NewTicker(keepAlive)
	defer silence.Stop()
	for ok {
		select {
		case e, open := <-live:
			if !open {
				return // forgotten, or too slow: the client asks again, with Last-Event-ID
			}
			ok = send(message(e))
		case <-silence.C:
			ok = send(": still here\n\n")
		case <-request.Context().Done():
			return
		case <-m.server.ending.Done():
			return
		}
	}
}

// message is an event as a server-sent one (HTML §9.2).
func message(e eventlog.Event) string {
	data, err := json.Marshal(e)
	if err != nil {
		return ": an event that cannot be shown\n\n"
	}
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.Number, e.Kind, data)
}
