package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/registry"
)

type createInput struct {
	DryRun  bool `query:"dry_run" doc:"Validate and test it, and save nothing"`
	RawBody []byte
}

type createOutput struct {
	Status   int
	Location string `header:"Location" doc:"Where the new connection is"`
	ETag     string `header:"ETag" doc:"The connection's revision, for If-Match"`
	Body     any
}

// DryRun is what would have been created.
type DryRun struct {
	Connection Connection   `json:"connection"`
	Test       *ProbeReport `json:"test" doc:"null where this node cannot test"`
}

type replaceInput struct {
	ByID
	IfMatch string `header:"If-Match" doc:"Change it only if this is still its ETag"`
	RawBody []byte
}

type deleteInput struct {
	ByID
	IfMatch string `header:"If-Match" doc:"Delete it only if this is still its ETag"`
}

func (m *management) writes() {
	conflict := []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}
	body := append([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}, conflict...)

	create := operation(http.MethodPost, "/connections", "create-connection", "Create a connection",
		"It starts within a second. Without an id it is given one. With `dry_run` it is validated and tested, and not saved.",
		http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	create.DefaultStatus = http.StatusCreated
	huma.Register(m.api, create, m.create)
	huma.Register(m.api, operation(http.MethodPut, "/connections/{id}", "replace-connection", "Replace a connection",
		"What is left out is its default. A secret sent as `***` stays what it is.", body...), m.replace)
	huma.Register(m.api, operation(http.MethodPatch, "/connections/{id}", "change-connection", "Change a connection",
		"By JSON Merge Patch (RFC 7396): what is left out stays, null restores the default.", body...), m.change)
	huma.Register(m.api, operation(http.MethodDelete, "/connections/{id}", "delete-connection", "Delete a connection",
		"It is drained and stopped, and what it has buffered is removed.", conflict...), m.remove)
}

func (m *management) create(ctx context.Context, in *createInput) (*createOutput, error) {
	service := m.service(ctx)
	spec, err := decode(in.RawBody, service.Source)
	if err != nil {
		return nil, err
	}
	if spec.ID == "" {
		spec.ID = registry.NewID()
	}
	complete, err := m.valid(ctx, spec)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		if there, _ := service.Registry.Get(spec.ID); there != nil {
			return nil, m.failed(registry.ErrExists)
		}
		out := DryRun{Connection: Connection(spec)}
		if service.Prober != nil {
			report, err := m.probe(ctx, complete)
			if err != nil {
				return nil, err
			}
			out.Test = &report
		}
		return &createOutput{Status: http.StatusOK, Body: out}, nil
	}
	e, err := service.Registry.Create(ctx, spec)
	if err != nil {
		return nil, m.failed(err)
	}
	service.tell(spec.ID, "created")
	return &createOutput{
		Status: http.StatusCreated, Location: Prefix + "/connections/" + spec.ID, ETag: m.etag(e), Body: Connection(e.Spec),
	}, nil
}

// decode reads a connection strictly.
func decode(body []byte, source connection.SourceDefaults) (connection.Spec, error) {
	if _, err := document.ParseJSON("", body); err != nil {
		return connection.Spec{}, huma.Error400BadRequest("the body " + strings.TrimPrefix(err.Error(), "1: "))
	}
	spec, faults := connection.DecodeJSON(body)
	if len(faults) == 0 {
		return spec, nil
	}
	// What else is wrong with it is said at once; without an id it would be given one.
	checked := spec
	if checked.ID == "" {
		checked.ID = registry.NewID()
	}
	return spec, faulty(document.Merge(faults, checked.WithDefaults(source).Validate()))
}

// valid returns a connection as it would run, or every fault it has. Nobody may write one that they would not see.
func (m *management) valid(ctx context.Context, spec connection.Spec) (connection.Spec, error) {
	complete := spec.WithDefaults(m.service(ctx).Source)
	if faults := complete.Validate(); len(faults) > 0 {
		return complete, faulty(faults)
	}
	if who := asking(ctx); !who.sees(spec.Tags) {
		return complete, huma.Error403Forbidden("this token is for connections with one tag only", &huma.ErrorDetail{
			Location: inBody(document.Child("tags", who.TagName)), Message: "must be " + who.Tag,
		})
	}
	return complete, nil
}

func (m *management) replace(ctx context.Context, in *replaceInput) (*connectionOutput, error) {
	spec, err := decode(in.RawBody, m.service(ctx).Source)
	if err != nil {
		return nil, err
	}
	return m.update(ctx, in.ID, in.IfMatch, func(connection.Spec) (connection.Spec, error) { return spec, nil })
}

// attempts is how often a change without If-Match is made again because another came between.
const attempts = 5

// update replaces a connection by what made makes of the one that is there.
func (m *management) update(ctx context.Context, id, ifMatch string, made func(connection.Spec) (connection.Spec, error)) (*connectionOutput, error) {
	service := m.service(ctx)
	for attempt := 1; ; attempt++ {
		before, err := m.find(ctx, id)
		if err != nil {
			return nil, err
		}
		if before.Static {
			return nil, m.failed(registry.ErrStatic)
		}
		if !m.matches(ifMatch, before) {
			return nil, m.failed(registry.ErrConflict)
		}
		spec, err := made(before.Spec)
		if err != nil {
			return nil, err
		}
		if spec.ID == "" {
			spec.ID = id
		}
		if spec.ID != id {
			return nil, faulty(fault.List{{Path: "id", Reason: "must be left out or be " + id + ": another id is another connection"}})
		}
		spec = spec.Unmasked(before.Spec)
		if _, err := m.valid(ctx, spec); err != nil {
			return nil, err
		}
		after, err := service.Registry.Update(ctx, spec, before.Revision)
		if errors.Is(err, registry.ErrConflict) && ifMatch == "" && attempt < attempts {
			continue
		}
		if err != nil {
			return nil, m.failed(err)
		}
		service.tell(id, "updated")
		return m.shown(after), nil
	}
}

// matches reports whether If-Match allows a write (RFC 9110 §13.1.1).
func (m *management) matches(ifMatch string, e *registry.Entry) bool {
	if ifMatch == "" || ifMatch == "*" {
		return true
	}
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if strings.TrimSpace(tag) == m.etag(e) {
			return true
		}
	}
	return false
}

func (m *management) remove(ctx context.Context, in *deleteInput) (*struct{}, error) {
	for attempt := 1; ; attempt++ {
		e, err := m.find(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if e.Static {
			return nil, m.failed(registry.ErrStatic)
		}
		if !m.matches(in.IfMatch, e) {
			return nil, m.failed(registry.ErrConflict)
		}
		err = m.service(ctx).Registry.Delete(ctx, in.ID, e.Revision)
		if errors.Is(err, registry.ErrConflict) && in.IfMatch == "" && attempt < attempts {
			continue
		}
		if err != nil {
			return nil, m.failed(err)
		}
		return nil, nil //nolint:nilnil // huma's 204
	}
}

// tell records in a connection's log what was asked of it.
func (s *Service) tell(id, what string) {
	s.Events.Add(id, eventlog.Event{Level: eventlog.Info, Kind: eventlog.Requested, Message: what + " by request"})
}
