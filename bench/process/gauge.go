package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Gauge is where a program shows its numbers over HTTP, in Prometheus' text format.
type Gauge struct {
	url    string
	client http.Client
}

// NewGauge returns the gauge at /metrics of an address, host:port.
func NewGauge(address string) *Gauge {
	return &Gauge{url: "http://" + address + "/metrics", client: http.Client{Timeout: 10 * time.Second}}
}

// Read returns the numbers by name and labels as they stand, and by name alone, with those that differ in labels added
// up.
func (g *Gauge) Read(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", g.url, err)
	}
	response, err := g.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", g.url, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read %s: status %s", g.url, response.Status)
	}
	numbers, err := parseNumbers(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", g.url, err)
	}
	return numbers, nil
}

func parseNumbers(r io.Reader) (map[string]float64, error) {
	numbers := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || end < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		name, _, labelled := strings.Cut(line[:end], "{")
		numbers[name] += value
		if labelled {
			numbers[line[:end]] = value
		}
	}
	return numbers, lines.Err()
}
