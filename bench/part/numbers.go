package part

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// number is one that a part shows of itself.
type number struct {
	name  string
	value *atomic.Uint64
}

// show serves numbers at /metrics while work is done. It ends with ctx, or when work fails.
func show(ctx context.Context, listen string, numbers []number, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Addr: listen, ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for _, n := range numbers {
				fmt.Fprintf(w, "%s %d\n", n.name, n.value.Load()) //nolint:errcheck // whoever asked is gone
			}
		}),
	}
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
