package simulator_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

func Example() {
	ns, err := simulator.New(simulator.Config{
		Seed:    1,
		Tokens:  []string{"secret"},
		Filters: map[string]simulator.Filter{"meters": {Types: []dataapi.Type{dataapi.Uplink}}},
		Record:  1000,
	})
	if err != nil {
		panic(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		panic(err)
	}
	defer ns.Close()

	conn, _, err := websocket.DefaultDialer.Dial(ns.URL()+"?access_token=secret&filter=meters", nil)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	for _, t := range []dataapi.Type{dataapi.Uplink, dataapi.Location, dataapi.Uplink} {
		if _, err := ns.Emit(simulator.Order{Type: t}); err != nil {
			panic(err)
		}
	}
	owed, err := ns.MessagesFor("meters")
	if err != nil {
		panic(err)
	}
	for _, m := range owed {
		_, frame, err := conn.ReadMessage()
		fmt.Println(m.N, m.Type, bytes.Equal(frame, m.Raw), err)
	}
	ns.Drop(simulator.CloseFrame)
	_, _, err = conn.ReadMessage()
	fmt.Println(err)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(ns.Await(ctx, func(s simulator.Stats) bool { return s.Streams == 0 && s.Sent == 2 }))
	// Output:
	// 1 uplink true <nil>
	// 3 uplink true <nil>
	// websocket: close 1001 (going away): dropped on request
	// <nil>
}
