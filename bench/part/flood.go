package part

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// TopicUp is the topic template of whoever publishes the flood.
const TopicUp = "lora/{type}/{device}"

// TopicFilter matches what TopicUp makes of the flood, and nothing else.
const TopicFilter = "lora/uplink/+"

// floodDevices is the number of devices that the frames come from.
const floodDevices = 100

// Cycle is the number of frames that a publisher has in memory and sends over and over. It is the simulator's batch, so
// that frame n is as long as frame n+Cycle, and of the same device.
const Cycle = 128

// Flood is a run of numbered frames, 1 to Frames. Whoever knows these values knows every byte of it.
type Flood struct {
	Frames uint64 // 0: there is no flood
	Size   int    // of each frame, in bytes
	Epoch  int64  // meta.time of frame 0, in Unix seconds
}

// Flags are where a part is told of the flood.
func (f *Flood) Flags(flags *pflag.FlagSet) {
	flags.Uint64Var(&f.Frames, "frames", 0, "number of frames")
	flags.IntVar(&f.Size, "size", 0, "bytes of each frame")
	flags.Int64Var(&f.Epoch, "epoch", 0, "meta.time of frame 0")
}

// Args are the flags' values on a command line.
func (f *Flood) Args() []string {
	return []string{
		"--frames", strconv.FormatUint(f.Frames, 10), "--size", strconv.Itoa(f.Size), "--epoch", strconv.FormatInt(f.Epoch, 10),
	}
}

// networkServer makes the simulator that has the flood.
func (f *Flood) networkServer() (*simulator.NS, error) { return simulator.New(f.simulation()) }

func (f *Flood) simulation() simulator.Config {
	epoch := time.Unix(f.Epoch, 0)
	flood := simulator.Flood{Size: f.Size, Frames: f.Frames, Batch: Cycle}
	if f.Frames == 0 {
		flood = simulator.Flood{}
	}
	return simulator.Config{
		Seed: 1, Devices: floodDevices, Now: func() time.Time { return epoch },
		Filters: map[string]simulator.Filter{simulator.AnyFilter: {}},
		Flood:   flood,
	}
}

// prebuilt is a frame with its topic, for a publisher that is not to be held up by making them.
type prebuilt struct {
	topic string
	frame []byte
}

// prebuild makes the flood's first frames.
func (f *Flood) prebuild(count uint64) ([]prebuilt, error) {
	ns, err := f.networkServer()
	if err != nil {
		return nil, err
	}
	template, err := topic.Compile(TopicUp)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", TopicUp, err)
	}
	made := make([]prebuilt, count)
	for i := range made {
		frame := ns.FloodFrame(uint64(i) + 1)
		envelope, err := dataapi.Scan(frame)
		if err != nil {
			return nil, fmt.Errorf("scan flood frame %d: %w", i+1, err)
		}
		made[i] = prebuilt{topic: string(template.Append(nil, &envelope)), frame: frame}
	}
	return made, nil
}
