package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type parkedListInput struct {
	ByID
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most"`
	Cursor uint64 `query:"cursor" doc:"Where the page before ended: its next"`
}

// ParkedPage is one page of parked frames.
type ParkedPage struct {
	Frames []ParkedFrame `json:"frames"`
	Next   uint64        `json:"next,omitempty" doc:"The cursor of the next page, if there is one"`
}

type parkedListOutput struct{ Body ParkedPage }

type parkedInput struct {
	ByID
	Seq uint64 `path:"seq" doc:"The parked frame's seq"`
}

func (m *management) parkedFrames() {
	huma.Register(m.api, operation(http.MethodGet, "/connections/{id}/parked", "list-parked", "List parked frames",
		"Frames that were set aside because they cannot be published, the oldest first.",
		http.StatusNotFound, http.StatusNotImplemented), m.listParked)
	resend := operation(http.MethodPost, "/connections/{id}/parked/{seq}/resend", "resend-parked", "Publish a parked frame again",
		"", http.StatusNotFound, http.StatusConflict, http.StatusNotImplemented)
	resend.DefaultStatus = http.StatusAccepted
	huma.Register(m.api, resend, m.resendParked)
	huma.Register(m.api, operation(http.MethodDelete, "/connections/{id}/parked/{seq}", "drop-parked", "Forget a parked frame",
		"", http.StatusNotFound, http.StatusNotImplemented), m.dropParked)
}

// parked is the store of parked frames, for a connection that the bearer may know of.
func (m *management) parked(ctx context.Context, id string) (Parked, error) {
	if _, err := m.find(ctx, id); err != nil {
		return nil, err
	}
	if p := m.service(ctx).Parked; p != nil {
		return p, nil
	}
	return nil, notHere("park frames")
}

func (m *management) listParked(ctx context.Context, in *parkedListInput) (*parkedListOutput, error) {
	p, err := m.parked(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	frames, err := p.List(ctx, in.ID, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, m.failed(err)
	}
	out := &parkedListOutput{ParkedPage{Frames: []ParkedFrame{}}}
	out.Body.Frames = append(out.Body.Frames, frames...)
	if len(frames) > in.Limit {
		out.Body.Frames = frames[:in.Limit]
		out.Body.Next = frames[in.Limit-1].Seq
	}
	return out, nil
}

func (m *management) resendParked(ctx context.Context, in *parkedInput) (*acceptedOutput, error) {
	p, err := m.parked(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := p.Resend(ctx, in.ID, in.Seq); err != nil {
		return nil, m.failed(err)
	}
	return &acceptedOutput{Accepted{in.ID, "resend"}}, nil
}

func (m *management) dropParked(ctx context.Context, in *parkedInput) (*struct{}, error) {
	p, err := m.parked(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := p.Drop(ctx, in.ID, in.Seq); err != nil {
		return nil, m.failed(err)
	}
	return nil, nil //nolint:nilnil // huma's 204
}
