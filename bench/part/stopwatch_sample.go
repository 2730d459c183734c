package part

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Sample is how long one timed message was on its way.
type Sample struct {
	Number uint64
	Sent   time.Time
	Took   time.Duration
}

// writeSamples writes a line for each: its number, and in microseconds when it was sent and how long it took.
func writeSamples(w io.Writer, samples []Sample) {
	out := bufio.NewWriter(w)
	defer out.Flush() //nolint:errcheck // whoever asked is gone
	for _, s := range samples {
		fmt.Fprintf(out, "%d %d %d\n", s.Number, s.Sent.UnixMicro(), s.Took.Microseconds()) //nolint:errcheck // Flush has it
	}
}

// ReadSamples reads what a part shows at [SamplesPath].
func ReadSamples(r io.Reader) ([]Sample, error) {
	var samples []Sample
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		s, err := parseSample(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("read sample %q: %w", lines.Text(), err)
		}
		samples = append(samples, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return samples, nil
}

func parseSample(line string) (s Sample, err error) {
	fields := strings.Split(line, " ")
	if len(fields) != 3 {
		return s, fmt.Errorf("it has %d fields in place of 3", len(fields))
	}
	if s.Number, err = strconv.ParseUint(fields[0], 10, 64); err != nil {
		return s, err
	}
	sent, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return s, err
	}
	took, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return s, err
	}
	if limit := int64(time.Duration(1<<63-1) / time.Microsecond); took > limit || took < -limit {
		return s, fmt.Errorf("it took %d µs", took)
	}
	s.Sent, s.Took = time.UnixMicro(sent), time.Duration(took)*time.Microsecond
	return s, nil
}
