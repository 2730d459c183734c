package app_test

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// snapshot copies a store that is in use: what a disk might have of it, torn as it may be. A file that goes meanwhile is
// not in the copy.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o750)
		}
		content, err := os.ReadFile(path) //nolint:gosec // a directory of the test's own
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o600) //nolint:gosec // as above
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// cutTail takes the last bytes from the newest block of the frames' stream.
func cutTail(t *testing.T, dir string, bytes int64) {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", buffer.StreamName, "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("no block in %s: %v", dir, err)
	}
	newest := slices.MaxFunc(blocks, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	info, err := os.Stat(newest)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() <= bytes {
		t.Fatalf("%s has %d bytes", newest, info.Size())
	}
	if err := os.Truncate(newest, info.Size()-bytes); err != nil {
		t.Fatal(err)
	}
}

func emit(t *testing.T, ns *simulator.NS, n int) {
	t.Helper()
	for range n {
		if _, err := ns.Emit(simulator.Order{}); err != nil {
			t.Fatal(err)
		}
	}
}

// run starts a node that the test stops.
func run(t *testing.T, cfg config.Config) *app.App {
	t.Helper()
	a, err := app.New(cfg, zerolog.Nop(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// After a power cut the store is as it was some time ago, and its tail may be torn. What it lacks, the Network Server
// has.
func TestAPowerCutLosesNothing(t *testing.T) {
	for name, cut := range map[string]int64{"as it was": 0, "a torn tail": 700, "a long tail gone": 40_000} {
		t.Run(name, func(t *testing.T) {
			ns, broker := startNS(t), testkit.StartBroker(t)
			cfg := node(t, ns, spec("acme", broker.URI("mqtt")))
			a := run(t, cfg)
			await(t, a, streaming)
			emit(t, ns, 150)
			broker.AwaitPublished(100) // some are on their way
			emit(t, ns, 50)
			at := snapshot(t, cfg.NATS.Embedded.Dir)
			emit(t, ns, 100)
			broker.AwaitPublished(250)
			if err := a.Stop(); err != nil {
				t.Fatal(err)
			}
			emit(t, ns, 50)
			if cut > 0 {
				cutTail(t, at, cut)
			}
			cfg.NATS.Embedded.Dir = at
			a = run(t, cfg)
			emit(t, ns, 20)
			var sent [][]byte
			for _, m := range ns.Messages() {
				sent = append(sent, m.Raw)
			}
			await(t, a, func(messages.Status) bool {
				var got [][]byte
				for _, p := range broker.Published() {
					got = append(got, p.Payload)
				}
				d := testkit.Verify(t, sent, got)
				if d.Foreign > 0 {
					t.Fatalf("delivered %+v of %d", d, len(sent))
				}
				return d.Lost == 0
			})
			if err := a.Stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// With every write synced, what is stored is in any copy made after it.
func TestWithSyncAlwaysWhatIsStoredIsThere(t *testing.T) {
	ns, broker := startNS(t), testkit.StartBroker(t)
	cfg := node(t, ns, spec("acme", broker.URI("mqtt")))
	cfg.NATS.Embedded.Sync = config.Sync{Always: true}
	a := start(t, cfg)
	await(t, a, streaming)
	emit(t, ns, 200)
	broker.AwaitPublished(200)
	at := snapshot(t, cfg.NATS.Embedded.Dir)
	conn, err := natsconn.Open(t.Context(), natsconn.Config{Name: "copy", Embedded: natsconn.Embedded{Dir: at, SyncInterval: time.Second}}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	store, err := buffer.Open(t.Context(), conn.JetStream, buffer.Config{MaxBytes: 64 << 20, Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	log, err := store.OpenLog(t.Context(), "acme", 0)
	if err != nil || log.Last() != 200 {
		t.Errorf("the copy has %d frames, %v", log.Last(), err)
	}
}
