package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// The brokers.
const (
	Mochi     = "mochi"
	Mosquitto = "mosquitto"
)

// topicRoot begins every topic.
const topicRoot = "soak"

// route is one connection, with all that it runs over.
type route struct {
	id       string // of the connection, its filter and its broker
	broker   *program
	source   *faultywire.Wire // to the Network Server
	wire     *faultywire.Wire // to the PUBACK proxy
	pubacks  *faultywire.PubackProxy
	recorded *record
}

// newRoute starts a broker and the wires.
func (s *stage) newRoute(ctx context.Context, broker string) (*route, error) {
	r := &route{id: broker, recorded: newRecord(s.ledger)}
	s.routes = append(s.routes, r) // so that close finds what there is of it
	var err error
	if r.broker, err = s.newBroker(ctx, broker); err != nil {
		return nil, err
	}
	if err := r.broker.start(ctx); err != nil {
		return nil, err
	}
	if r.pubacks, err = faultywire.NewPubackProxy(r.broker.listens, r.recorded); err != nil {
		return nil, err
	}
	if r.wire, err = faultywire.NewWire(r.pubacks.Address()); err != nil {
		return nil, err
	}
	if r.source, err = faultywire.NewWire(s.ns.Addr()); err != nil {
		return nil, err
	}
	return r, nil
}

func (s *stage) newBroker(ctx context.Context, kind string) (*program, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	p := &program{name: kind, dir: s.dir, listens: address, life: ctx}
	if kind == Mosquitto {
		p.args, err = s.mosquittoArgs(address)
		return p, err
	}
	subscribers, err := process.FreeAddress()
	p.args = []string{s.Bench, "part", "broker", "--listen", address, "--subscribers", subscribers}
	return p, err
}

func (s *stage) mosquittoArgs(address string) ([]string, error) {
	program, found := process.FindMosquitto()
	if !found {
		return nil, errors.New("mosquitto is not installed: `make interop-deps`, or go without it by --brokers mochi")
	}
	conf, err := process.MosquittoConfiguration(address, s.dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, fmt.Errorf("configure mosquitto: %w", err)
	}
	return []string{program, "-c", file}, nil
}

// places are where faults can befall the route.
func places(brokers []string, externalNATS bool) []Place {
	all := []Place{{Class: Lorry}, {Class: NetworkServer}}
	for _, id := range brokers {
		for _, class := range []Class{Broker, BrokerWire, Pubacks, SourceWire} {
			all = append(all, Place{class, id})
		}
	}
	if externalNATS {
		all = append(all, Place{Class: NATS})
	}
	return all
}

// close ends what there is of it; the broker is ended by the stage.
func (r *route) close() {
	for _, w := range []*faultywire.Wire{r.source, r.wire} {
		if w != nil {
			w.Close()
		}
	}
	if r.pubacks != nil {
		r.pubacks.Close()
	}
}

// Brokers are those that there are on this machine.
func Brokers() []string {
	if _, found := process.FindMosquitto(); found {
		return []string{Mochi, Mosquitto}
	}
	return []string{Mochi}
}
