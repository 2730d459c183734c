package registry

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestAConnectionsLife(t *testing.T) {
	nats := testkit.StartNATS(t)
	r := open(t, nats.JetStream)
	w := watch(t, open(t, nats.JetStream)) // another node
	ctx := t.Context()

	created, err := r.Create(ctx, spec("acme"))
	must(t, created, err)
	if _, err := r.Create(ctx, spec("acme")); !errors.Is(err, ErrExists) {
		t.Errorf("a second create: %v", err)
	}
	if _, err := w.Create(ctx, spec("acme")); !errors.Is(err, ErrExists) {
		t.Errorf("a second create elsewhere: %v", err)
	}
	w.await("the new connection", func() bool {
		e, err := w.Get("acme")
		return err == nil && e.Revision == created.Revision && e.Spec.URI.Reveal() == spec("acme").URI.Reveal()
	})

	changed := spec("acme")
	changed.Description = "other"
	updated, err := w.Update(ctx, changed, created.Revision)
	must(t, updated, err)
	if _, err := r.Update(ctx, spec("acme"), created.Revision); !errors.Is(err, ErrConflict) {
		t.Errorf("an update at an old revision: %v", err)
	}
	if err := r.Delete(ctx, "acme", created.Revision); !errors.Is(err, ErrConflict) {
		t.Errorf("a delete at an old revision: %v", err)
	}
	if err := w.Pause(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if e, err := w.Get("acme"); err != nil || !e.Paused || e.Revision != updated.Revision {
		t.Errorf("paused: %+v, %v", e, err)
	}
	if err := w.Delete(ctx, "acme", updated.Revision); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get("acme"); !errors.Is(err, ErrNotFound) || !w.Leaving("acme") {
		t.Errorf("deleted: %v", err)
	}
	if _, err := r.Create(ctx, spec("acme")); !errors.Is(err, ErrLeaving) {
		t.Errorf("a create while it leaves: %v", err)
	}
	if err := w.Forget(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	w.await("the end", func() bool { return !w.Leaving("acme") })
	again, err := w.Create(ctx, spec("acme"))
	if must(t, again, err); again.Paused || again.Revision <= updated.Revision {
		t.Errorf("created again: %+v", again)
	}
}

func TestPauseAndResume(t *testing.T) {
	nats := testkit.StartNATS(t)
	r, w := open(t, nats.JetStream), watch(t, open(t, nats.JetStream))
	e, err := r.Create(t.Context(), spec("acme"))
	must(t, e, err)
	for _, paused := range []bool{true, false, true} {
		do := r.Resume
		if paused {
			do = r.Pause
		}
		for range 2 { // the second changes nothing
			if err := do(t.Context(), "acme"); err != nil {
				t.Fatal(err)
			}
		}
		w.await("the pause or its end", func() bool { e, err := w.Get("acme"); return err == nil && e.Paused == paused })
	}
	if err := r.Pause(t.Context(), "other"); !errors.Is(err, ErrNotFound) {
		t.Errorf("pause of one that is not there: %v", err)
	}
	// A pause outlives the process.
	if e, err := watch(t, open(t, nats.JetStream)).Get("acme"); err != nil || !e.Paused {
		t.Errorf("after a restart %+v, %v", e, err)
	}
}

func TestAStaticConnectionHidesAStoredOne(t *testing.T) {
	nats := testkit.StartNATS(t)
	before := open(t, nats.JetStream)
	e, err := before.Create(t.Context(), spec("acme"))
	must(t, e, err)
	static := spec("acme")
	static.Description = "of the file"
	r := watch(t, open(t, nats.JetStream, static, spec("beta")))
	if e, err := r.Get("acme"); err != nil || !e.Static || e.Spec.Description != "of the file" || e.Revision != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := r.Create(t.Context(), spec("beta")); !errors.Is(err, ErrExists) {
		t.Errorf("create: %v", err)
	}
	if _, err := r.Update(t.Context(), spec("acme"), e.Revision); !errors.Is(err, ErrStatic) {
		t.Errorf("update: %v", err)
	}
	if err := r.Delete(t.Context(), "acme", e.Revision); !errors.Is(err, ErrStatic) {
		t.Errorf("delete: %v", err)
	}
	if err := r.Pause(t.Context(), "beta"); err != nil {
		t.Error(err)
	}
	if e, err := r.Get("beta"); err != nil || !e.Paused || !e.Static {
		t.Errorf("%+v, %v", e, err)
	}
}

// A value that is no connection is reported, and takes no other with it.
func TestAValueThatDoesNotDecode(t *testing.T) {
	nats := testkit.StartNATS(t)
	writer := open(t, nats.JetStream)
	for _, id := range []string{"a", "c"} {
		e, err := writer.Create(t.Context(), spec(id))
		must(t, e, err)
	}
	secret := `{"id": "b", "uri": "mqtt://u:hunter2@h", "colour": "hunter2"}`
	if _, err := writer.kv.Put(t.Context(), "b", []byte(secret)); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r, err := Open(t.Context(), nats.JetStream, 1, nil, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, r)
	var ids []string
	for _, e := range w.List() {
		ids = append(ids, e.Spec.ID)
	}
	if !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Errorf("ids %v", ids)
	}
	b, err := w.Get("b")
	if must(t, b, err); b.Fault == nil || !strings.Contains(b.Fault.Error(), "colour: is unknown") {
		t.Errorf("fault %v", b.Fault)
	}
	if !strings.Contains(log.String(), "cannot be read") || strings.Contains(log.String()+b.Fault.Error(), "hunter2") {
		t.Errorf("log %s", log.String())
	}
	e, err := w.Update(t.Context(), spec("b"), b.Revision)
	if must(t, e, err); e.Fault != nil {
		t.Errorf("mended: %v", e.Fault)
	}
}

// What was written and deleted while a node had no connection to NATS is known when it is back.
func TestTheWatchSurvivesALostConnection(t *testing.T) {
	server := testkit.StartExternalNATS(t)
	w := watch(t, open(t, server.Connect().JetStream))
	for _, id := range []string{"a", "b"} {
		e, err := w.Create(t.Context(), spec(id))
		must(t, e, err)
	}
	for round := range 2 {
		server.Stop()
		server.Start()
		other := watch(t, open(t, server.Connect().JetStream))
		id := "new" + strings.Repeat("x", round)
		e, err := other.Create(t.Context(), spec(id))
		must(t, e, err)
		gone, err := other.Get([]string{"a", "b"}[round])
		must(t, gone, err)
		if err := other.Delete(t.Context(), gone.Spec.ID, gone.Revision); err != nil {
			t.Fatal(err)
		}
		w.await("both changes", func() bool {
			_, err := w.Get(id)
			return err == nil && w.Leaving(gone.Spec.ID)
		})
	}
}

// A key that is gone without a trace, as after its marker's time, is gone for who had missed it.
func TestWhatIsGoneWithoutATrace(t *testing.T) {
	server := testkit.StartExternalNATS(t)
	w := watch(t, open(t, server.Connect().JetStream))
	e, err := w.Create(t.Context(), spec("a"))
	must(t, e, err)
	nc := server.Connect()
	stream, err := nc.JetStream.Stream(t.Context(), "KV_"+Bucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get("a"); err != nil {
		t.Fatalf("gone before anybody could tell: %v", err)
	}
	server.Stop()
	server.Start()
	w.await("the end of it", func() bool { _, err := w.Get("a"); return errors.Is(err, ErrNotFound) })
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		s := spec(id).WithDefaults(connection.SourceDefaults{URL: "ws://ns.example"})
		for _, f := range s.Validate() {
			if f.Path == "id" {
				t.Fatalf("%q: %s", id, f)
			}
		}
		if seen[id] {
			t.Fatalf("%q twice", id)
		}
		seen[id] = true
	}
}
