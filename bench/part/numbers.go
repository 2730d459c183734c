package part

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// number is one that a part shows of itself.
type number struct {
	name  string
	value *atomic.Uint64
}

// page writes what a part shows of itself at a path.
type page func(w io.Writer)

// show serves numbers at /metrics while work is done. It ends with ctx, or when work fails.
func show(ctx context.Context, listen string, numbers []number, work func(ctx context.Context) error) error {
	return serve(ctx, listen, map[string]page{metricsPath: numbersPage(numbers)}, work)
}

// metricsPath is where whatever has no page of its own is answered, /metrics as well.
const metricsPath = "/"

func numbersPage(numbers []number) page {
	return func(w io.Writer) {
		for _, n := range numbers {
			fmt.Fprintf(w, "%s %d\n", n.name, n.value.Load()) //nolint:errcheck // whoever asked is gone
		}
	}
}

// serve serves pages while work is done. It ends with ctx, or when work fails.
func serve(ctx context.Context, listen string, pages map[string]page, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	paths := http.NewServeMux()
	for path, write := range pages {
		paths.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { write(w) })
	}
	server := &http.Server{Addr: listen, ReadHeaderTimeout: 5 * time.Second, Handler: paths}
	worked := make(chan error, 1)
	go func() {
		err := work(ctx)
		if err != nil {
			cancel()
		}
		worked <- err
	}()
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		cancel()
		return errors.Join(fmt.Errorf("show numbers on %s: %w", listen, err), <-worked)
	}
	return <-worked
}
