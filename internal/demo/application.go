package demo

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

const (
	topicUp   = "lora/{type}/{device}"
	topicDown = "downstream"
	// shownBytes is how much of a payload is printed.
	shownBytes = 100
	// mqttTimeout bounds what the customer's side asks of the broker.
	mqttTimeout = 5 * time.Second
)

// application is what a customer has behind the broker: it subscribes to everything, prints it, and answers
// each downlink_request.
type application struct {
	client  mqtt.Client
	account *account

	mu  sync.Mutex
	out io.Writer
}

func startApplication(address string, out io.Writer, a *account) (*application, error) {
	app := &application{account: a, out: out}
	options := mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID("demo-application").
		SetProtocolVersion(4).SetOrderMatters(true)
	app.client = mqtt.NewClient(options)
	if err := await(app.client.Connect()); err != nil {
		return nil, fmt.Errorf("connect the subscriber: %w", err)
	}
	if err := await(app.client.Subscribe("lora/#", 1, app.arrived)); err != nil {
		return nil, fmt.Errorf("subscribe to lora/#: %w", err)
	}
	return app, nil
}

func await(t mqtt.Token) error {
	if !t.WaitTimeout(mqttTimeout) {
		return errors.New("the broker did not answer")
	}
	return t.Error()
}

func (a *application) stop() { a.client.Disconnect(100) }

// arrived prints a message, books it and answers it if it is a downlink_request.
func (a *application) arrived(_ mqtt.Client, m mqtt.Message) {
	now := time.Now()
	envelope, err := dataapi.Scan(m.Payload())
	if err != nil {
		a.printf("not a frame on %s: %v\n", m.Topic(), err)
		return
	}
	if err := a.account.arrived(m.Payload(), now); err != nil {
		a.printf("%v\n", err)
	}
	a.printf("%s %s\n", m.Topic(), brief(m.Payload()))
	if envelope.Type == dataapi.DownlinkRequest {
		a.respond(m.Payload())
	}
}

// respond answers a downlink_request with two bytes for the device, echoing its meta.
func (a *application) respond(request []byte) {
	var r struct {
		Meta   json.RawMessage `json:"meta"`
		Params struct {
			CounterDown json.RawMessage `json:"counter_down"`
		} `json:"params"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		a.printf("a downlink_request that cannot be read: %v\n", err)
		return
	}
	response, err := json.Marshal(map[string]any{
		"type": dataapi.DownlinkResponse,
		"meta": r.Meta,
		"params": map[string]any{
			"payload": base64.StdEncoding.EncodeToString([]byte{0x01, 0x02}), "port": 1,
			"counter_down": r.Params.CounterDown, "confirmed": false, "pending": false,
		},
	})
	if err != nil {
		a.printf("answer a downlink_request: %v\n", err)
		return
	}
	a.account.answer()
	a.client.Publish(topicDown, 1, false, response) // the token is not waited for: the handler must return
	a.printf("%s %s ← the application answers\n", topicDown, brief(response))
}

// brief is the beginning of a message on one line.
func brief(raw []byte) string {
	line := strings.Join(strings.Fields(string(raw)), " ")
	if len(line) > shownBytes {
		return line[:shownBytes] + "…"
	}
	return line
}

func (a *application) printf(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintf(a.out, format, args...) //nolint:errcheck // a closed terminal ends the demo by signal
}
