package actors

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// incarnation is one life of an actor, from Started to Stopping. It owns the goroutines and timers that the
// actor starts and stamps what they report, so that a report which comes after its end is dropped even though
// the next incarnation has the same PID.
type incarnation struct {
	root   *actor.RootContext
	self   *actor.PID
	ctx    context.Context // ends with the incarnation
	cancel context.CancelFunc
	all    *sync.WaitGroup // the node's goroutines
}

// report is a message to an actor from its own goroutines and timers.
type report struct {
	from    *incarnation
	message any
}

// crashed is what an actor, or a goroutine of it, panicked with.
type crashed struct {
	value any
	stack []byte
}

func (c crashed) String() string { return fmt.Sprint(c.value) }

// withStack is deferred by every Receive, so that supervision learns where an actor panicked: protoactor passes
// on the value only.
func withStack() {
	switch v := recover().(type) {
	case nil:
	case crashed:
		panic(v)
	default:
		panic(crashed{value: v, stack: debug.Stack()})
	}
}

func newIncarnation(ctx actor.Context, all *sync.WaitGroup) *incarnation {
	lifetime, cancel := context.WithCancel(context.Background())
	return &incarnation{root: ctx.ActorSystem().Root, self: ctx.Self(), ctx: lifetime, cancel: cancel, all: all}
}

// open is what an actor's Receive switches on: a message of others as it is, a report of this incarnation
// opened, nil for one that is out of date. A goroutine's panic goes on here, where supervision sees it.
func (i *incarnation) open(message any) any {
	r, ok := message.(*report)
	if !ok {
		return message
	}
	if i == nil || r.from != i {
		return nil
	}
	if c, ok := r.message.(crashed); ok {
		panic(c)
	}
	return r.message
}

// tell reports to the actor. It never blocks.
func (i *incarnation) tell(message any) {
	if i.ctx.Err() == nil {
		i.root.Send(i.self, &report{from: i, message: message})
	}
}

// run starts a goroutine that ends with ctx, which is the incarnation's or derived from it.
func (i *incarnation) run(ctx context.Context, f func(ctx context.Context)) {
	i.all.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				i.tell(crashed{value: v, stack: debug.Stack()})
			}
		}()
		f(ctx)
	})
}

// atEnd calls f once ctx, which is the incarnation's or derived from it, has ended. It is waited for as goroutines
// are, and takes none until then.
func (i *incarnation) atEnd(ctx context.Context, f func()) {
	i.all.Add(1)
	context.AfterFunc(ctx, func() {
		defer i.all.Done()
		f()
	})
}

// after reports a message once the time has passed, unless the timer is stopped before.
func (i *incarnation) after(d time.Duration, message any) *time.Timer {
	return time.AfterFunc(d, func() { i.tell(message) })
}

// end stops the goroutines; what they still report is dropped.
func (i *incarnation) end() {
	if i != nil {
		i.cancel()
	}
}
