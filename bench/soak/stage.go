package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

const (
	accessToken = "soak-token-soak-token" //nolint:gosec // of a Network Server that lives as long as the run
	maxInflight = 100
	devices     = 20
	// history is how many messages the Network Server remembers: all of the longest run.
	history = 10_000_000
)

// stage is everything that a run goes over.
type stage struct {
	Options
	dir      string
	start    time.Time
	ledger   *ledger
	timeline *timeline
	ns       *simulator.NS
	routes   []*route
	nats     *program // nil: lorry's own
	lorry    *program
	crashes  []span // of lorry; its place's own while there are faults
}

// newStage starts everything but the load. What it returns with an error has to be closed, too.
func newStage(ctx context.Context, o Options) (*stage, error) {
	s := &stage{Options: o, start: time.Now()}
	s.ledger, s.timeline = newLedger(s.start), &timeline{start: s.start, out: o.Progress}
	var err error
	if s.dir, err = os.MkdirTemp("", "lorry-soak-"); err != nil {
		return s, fmt.Errorf("make a directory for the run: %w", err)
	}
	if err := s.startNS(); err != nil {
		return s, err
	}
	for _, broker := range o.Brokers {
		if _, err := s.newRoute(ctx, broker); err != nil {
			return s, err
		}
	}
	if err := s.startNATS(ctx); err != nil {
		return s, err
	}
	return s, s.startLorry(ctx)
}

func (s *stage) startNS() (err error) {
	filters := map[string]simulator.Filter{}
	for _, id := range s.Brokers {
		filters[id] = simulator.Filter{}
	}
	s.ns, err = simulator.New(simulator.Config{
		Seed: s.Seed, Devices: devices, Arrivals: simulator.Poisson, Tokens: []string{accessToken}, Filters: filters,
		History: simulator.History{MaxMessages: history, Reshuffle: true}, Witness: s.ledger,
	})
	if err != nil {
		return err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	return s.ns.Start(address)
}

func (s *stage) startNATS(ctx context.Context) error {
	if !s.ExternalNATS {
		return nil
	}
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	s.nats = &program{
		name: "nats", dir: s.dir, listens: address, life: ctx,
		args: []string{s.Bench, "part", "nats", "--listen", address, "--dir", filepath.Join(s.dir, "store")},
	}
	return s.nats.start(ctx)
}

func (s *stage) startLorry(ctx context.Context) error {
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, "lorry.yaml")
	if err := os.WriteFile(file, []byte(s.lorryConfig(address)), 0o600); err != nil {
		return fmt.Errorf("configure lorry: %w", err)
	}
	s.lorry = &program{name: "lorry", dir: s.dir, listens: address, life: ctx, args: append(s.Lorry, "--config", file)}
	return s.lorry.start(ctx)
}

func (s *stage) lorryConfig(http string) string {
	var c strings.Builder
	nats := fmt.Sprintf("embedded: {dir: %q}", filepath.Join(s.dir, "store"))
	if s.nats != nil {
		nats = "url: nats://" + s.nats.listens
	}
	fmt.Fprintf(&c, "node: {name: soak, shutdown_grace: 3s}\nhttp: {listen: %q}\nnats: {%s}\nbuffer: {max_bytes: 4GiB}\nconnections:\n", http, nats)
	for _, r := range s.routes {
		fmt.Fprintf(&c, `- id: %s
  uri: mqtt://%s
  filter: %s
  topic_up: %q
  mqtt: {max_inflight: %d}
  source: {url: "ws://%s%s", access_token: %s}
`, r.id, r.wire.Address(), r.id, topicRoot+"/{type}/{device}", maxInflight, r.source.Address(), simulator.DataPath, accessToken)
	}
	return c.String()
}

// programs are all that there are, in the order in which they may end.
func (s *stage) programs() []*program {
	var all []*program
	if s.lorry != nil {
		all = append(all, s.lorry)
	}
	for _, r := range s.routes {
		if r.broker != nil {
			all = append(all, r.broker)
		}
	}
	if s.nats != nil {
		all = append(all, s.nats)
	}
	return all
}

// close ends everything. The directory stays. The error is that of a program that does not end as it should.
func (s *stage) close() error {
	var errs []error
	for _, p := range s.programs() {
		errs = append(errs, p.stop())
	}
	for _, r := range s.routes {
		r.close()
	}
	if s.ns != nil {
		s.ns.Close()
	}
	return errors.Join(errs...)
}
