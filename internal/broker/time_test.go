package broker_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// takes runs f in a bubble and reports how long it took by the bubble's clock.
func takes(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func TestConnectTimeoutBoundsEverything(t *testing.T) {
	for name, c := range map[string]struct {
		dial, connack time.Duration
		stage         broker.Stage
	}{
		"dialing takes too long": {dial: time.Hour, stage: broker.StageTCP},
		"CONNACK takes too long": {connack: time.Hour, stage: broker.StageConnack},
		"both together do":       {dial: 6 * time.Second, connack: 6 * time.Second, stage: broker.StageConnack},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := scripted(t, func(s *script) {
					s.next()
					s.pause(c.connack)
					s.send(0x20, 2, 0, 0)
				})
				dial := o.Dial
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					select {
					case <-time.After(c.dial):
						return dial(ctx, network, address)
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
				o.ConnectTimeout = 10 * time.Second
				took := takes(func() {
					if failed := refused(t, o, c.stage, broker.Retryable); !errors.Is(failed, broker.ErrConnectTimeout) {
						t.Errorf("%v", failed)
					}
				})
				if took != o.ConnectTimeout {
					t.Errorf("took %v, want %v", took, o.ConnectTimeout)
				}
			})
		})
	}
}

func TestDefaultTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := scripted(t, func(s *script) { s.drain() })
		o.ConnectTimeout, o.AckTimeout = 0, 0
		if took := takes(func() { refused(t, o, broker.StageConnack, broker.Retryable) }); took != broker.DefaultConnectTimeout {
			t.Errorf("took %v", took)
		}
		keepAlive := make(chan uint16, 1)
		o = scripted(t, func(s *script) {
			keepAlive <- s.accept().Keepalive
			s.drain()
		})
		s, _ := connect(t, o)
		if got := <-keepAlive; got != 30 {
			t.Errorf("keep alive of %d s", got)
		}
		s.Close()
	})
}

func TestKeepAlive(t *testing.T) {
	for _, keepAlive := range []time.Duration{time.Second, 10 * time.Second, 30 * time.Second, 300 * time.Second} {
		t.Run(keepAlive.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testKeepAlive(t, keepAlive) })
		})
	}
}

// testKeepAlive has a broker answer PINGREQs for a while and then no more.
func testKeepAlive(t *testing.T, keepAlive time.Duration) {
	const answered = 100
	var last time.Time // when the last packet before the silence came
	o := scripted(t, func(s *script) {
		s.accept()
		for range answered {
			last = time.Now()
			if _, ok := s.next().(*packets.PingreqPacket); !ok {
				t.Error("not a PINGREQ")
				return
			}
			if silence := time.Since(last); silence != keepAlive {
				t.Errorf("silent for %v", silence)
			}
			s.send(0xd0, 0)
		}
		last = time.Now()
		s.drain()
	})
	o.KeepAlive = keepAlive
	lost := make(chan error, 1)
	s, err := broker.Connect(t.Context(), o, broker.Events{Lost: func(err error) { lost <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := <-lost; !errors.Is(err, broker.ErrKeepAlive) || broker.Classify(err) != broker.Retryable {
		t.Errorf("lost: %v", err)
	} else {
		t.Logf("%v, %v after the last PINGRESP", err, time.Since(last))
	}
	if took, want := time.Since(last), keepAlive+min(max(keepAlive/2, time.Second), 10*time.Second); took != want {
		t.Errorf("lost %v after the last PINGRESP, want %v", took, want)
	}
}

// Whoever says something need not say that it is there.
func TestNoPINGREQBesidePublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const publishes = 50
		silent := make(chan time.Duration, 1)
		o := scripted(t, func(s *script) {
			s.accept()
			for range publishes {
				p, ok := s.next().(*packets.PublishPacket)
				if !ok {
					t.Error("not a PUBLISH")
					return
				}
				s.send(0x40, 2, byte(p.MessageID>>8), byte(p.MessageID))
			}
			last := time.Now()
			if _, ok := s.next().(*packets.PingreqPacket); !ok {
				t.Error("not a PINGREQ")
			}
			silent <- time.Since(last)
			s.drain()
		})
		o.KeepAlive = 10 * time.Second
		s, _ := connect(t, o)
		for _, m := range uplinks(1, publishes) {
			publish(t, s, m)
			<-time.After(9 * time.Second)
		}
		if got := <-silent; got != o.KeepAlive {
			t.Errorf("the PINGREQ came %v after the last PUBLISH", got)
		}
		s.Close()
	})
}

// A wire that takes nothing ends the session in a write timeout, also when nothing but a PINGREQ is written.
func TestWriteTimeout(t *testing.T) {
	for name, published := range map[string]int{"PUBLISH": 1, "PINGREQ": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := scripted(t, func(s *script) {
					s.accept()
					s.pause(time.Hour)
				})
				o.AckTimeout, o.KeepAlive = time.Second, 10*time.Second
				s, own := connect(t, o)
				took := takes(func() {
					publish(t, s, uplinks(1, published)...)
					if err := own.awaitLost(); !errors.Is(err, broker.ErrWriteTimeout) || broker.Classify(err) != broker.Retryable {
						t.Errorf("lost: %v", err)
					}
				})
				if want := time.Second + o.KeepAlive*time.Duration(1-published); took != want {
					t.Errorf("took %v, want %v", took, want)
				}
			})
		})
	}
}

// However long the queue, a Publish on a wire that takes nothing returns within the write timeout.
func TestPublishIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := scripted(t, func(s *script) {
			s.accept()
			s.pause(time.Hour)
		})
		o.AckTimeout = time.Second
		s, own := connect(t, o)
		message := broker.Message{Topic: "t", Payload: make([]byte, 40<<10)}
		took := takes(func() {
			for seq := uint64(1); ; seq++ {
				message.Seq = seq
				if err := s.Publish(message); err != nil {
					if !errors.Is(err, broker.ErrSessionClosed) {
						t.Errorf("publish: %v", err)
					}
					return
				}
			}
		})
		if took > 2*o.AckTimeout {
			t.Errorf("took %v", took)
		}
		if err := own.awaitLost(); !errors.Is(err, broker.ErrWriteTimeout) {
			t.Errorf("lost: %v", err)
		}
	})
}

func TestCloseWhilePublishBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := scripted(t, func(s *script) {
			s.accept()
			s.pause(time.Hour)
		})
		o.AckTimeout = 10 * time.Second
		s, own := connect(t, o)
		published := make(chan error)
		go func() {
			message := broker.Message{Topic: "t", Payload: make([]byte, 40<<10)}
			for {
				if err := s.Publish(message); err != nil {
					published <- err
					return
				}
			}
		}()
		synctest.Wait() // Publish blocks
		if took := takes(func() { own.close(s) }); took > time.Second {
			t.Errorf("Close took %v", took)
		}
		if err := <-published; !errors.Is(err, broker.ErrSessionClosed) {
			t.Errorf("publish: %v", err)
		}
		if own.mu.Lock(); len(own.lost) > 0 {
			t.Errorf("lost: %v", own.lost)
		}
		own.mu.Unlock()
	})
}

// The same on real sockets, whose buffers take a while to fill.
func TestCloseOnAStalledSocket(t *testing.T) {
	b := testkit.StartBroker(t)
	proxy := testkit.NewPubackProxy(t, b.Address("mqtt"))
	o := options(t, proxy.URI())
	o.AckTimeout = time.Second // for which paho may hold Publish after the end
	s, own := connect(t, o)
	proxy.Stall(testkit.ToBroker)
	begun, returned := make(chan struct{}), make(chan error, 1)
	go func() {
		message := broker.Message{Topic: "t", Payload: make([]byte, 1<<20)}
		err := s.Publish(message)
		for close(begun); err == nil; err = s.Publish(message) {
		}
		returned <- err
	}()
	<-begun
	own.close(s)
	if own.mu.Lock(); len(own.lost) > 0 {
		t.Errorf("lost: %v", own.lost)
	}
	own.mu.Unlock()
	if err := <-returned; !errors.Is(err, broker.ErrSessionClosed) {
		t.Errorf("publish: %v", err)
	}
}
