package actors

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func TestNoMoreConnectionsOpenAtOnceThanJetStreamTakes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		gate := make(chan struct{})
		st.store.change(func(f *faultyJetStream) { f.gate = gate })
		const all = maxOpenings + 20
		for i := range all {
			st.put(fmt.Sprintf("c%d", i), nil)
		}
		st.store.change(func(f *faultyJetStream) {
			if f.waiting != maxOpenings {
				t.Errorf("%d connections are being opened", f.waiting)
			}
			f.gate = nil
		})
		close(gate)
		advance(time.Second)
		for i := range all {
			if s := st.status(fmt.Sprintf("c%d", i)); s.State != telemetry.Connected {
				t.Errorf("status %+v", s)
			}
		}
	})
}
