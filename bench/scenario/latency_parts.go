package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/internal/client"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// readyWithin is how long lorry may take to be connected at both ends.
const readyWithin = 30 * time.Second

// startStopwatch starts a subscriber that times what arrives on a topic filter. It returns where it shows that.
func (s *stage) startStopwatch(ctx context.Context, filter string) (string, error) {
	_, address, err := s.startPart(ctx, "stopwatch", "--broker", s.broker.subscribers, "--filter", filter)
	return address, err
}

// pacedNS is a Network Server that has a pace to keep.
type pacedNS struct {
	*process.Process
	address string
	numbers string // of its pace
}

// startPacedNS starts a Network Server with a pace beside the stage's flood, which it holds after so many frames if
// that is not 0.
func (s *stage) startPacedNS(ctx context.Context, hold uint64, pace part.Pace) (*pacedNS, error) {
	numbers, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	args := append(s.flood.Args(), "--hold", strconv.FormatUint(hold, 10), "--paced", numbers)
	p, address, err := s.startPart(ctx, "ns", append(args, pace.Args()...)...)
	return &pacedNS{p, address, numbers}, err
}

// startPaced starts a bare publisher that keeps the pace. It returns where its numbers are.
func (s *stage) startPaced(ctx context.Context, pace part.Pace, topic string) (*process.Process, string, error) {
	args := append(s.flood.Args(), "--broker", s.broker.address, "--topic", topic, "--window", strconv.Itoa(s.Window))
	return s.startPart(ctx, "paced", append(args, pace.Args()...)...)
}

// startDesk starts a Network Server with so many open downlink_requests. It returns where it serves, and where it shows
// what it received.
func (s *stage) startDesk(ctx context.Context, count uint64) (address, numbers string, err error) {
	if numbers, err = process.FreeAddress(); err != nil {
		return "", "", err
	}
	_, address, err = s.startPart(ctx, "desk", append(s.flood.Args(), "--count", strconv.FormatUint(count, 10), "--numbers", numbers)...)
	return address, numbers, err
}

// errReady ends the wait for lorry.
var errReady = errors.New("ready")

// awaitLorry returns when the lorry at the address is connected to the broker, reads from the Network Server and has
// subscribed to what it is to subscribe to.
func (s *stage) awaitLorry(ctx context.Context, address string) error {
	c, err := client.New("http://"+address, secret.String{}, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		wanted := map[eventlog.Kind]bool{eventlog.StateChanged: true, eventlog.SourceChanged: true}
		if s.topicDown != "" {
			wanted[eventlog.Subscribed] = true
		}
		err := c.Follow(ctx, lorryConnection, func(e eventlog.Event) error {
			if e.Kind != eventlog.StateChanged || e.State == string(telemetry.Connected) {
				delete(wanted, e.Kind)
			}
			if len(wanted) == 0 {
				return errReady
			}
			return nil
		})
		if errors.Is(err, errReady) {
			return nil
		}
		if refused, is := errors.AsType[*client.Error](err); is && refused.Status == http.StatusServiceUnavailable {
			err = pause(ctx, sampleEvery) // it is starting
		} else if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("wait for lorry to be connected at both ends: %w", err)
		}
	}
}

// readSamples asks a part for what it has timed.
func readSamples(ctx context.Context, address string) ([]part.Sample, error) {
	url := "http://" + address + part.SamplesPath
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := c.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read %s: status %s", url, response.Status)
	}
	return part.ReadSamples(response.Body)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
