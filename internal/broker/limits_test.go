package broker_test

import (
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
)

func TestMinConnectInterval(t *testing.T) {
	for host, want := range map[string]time.Duration{
		"a1b2c3d4e5f6g7.iot.eu-west-1.amazonaws.com":         time.Second,
		"a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com":     time.Second,
		"A1B2C3D4E5F6G7-ATS.iot.EU-WEST-1.amazonaws.com.":    time.Second,
		"a1b2c3d4e5f6g7.ats.iot.cn-north-1.amazonaws.com.cn": time.Second,
		"a1b2c3d4e5f6g7-ats.iot.us-gov-west-1.amazonaws.com": time.Second,
		"iot.eu-west-1.amazonaws.com":                        0, // the control plane, which speaks no MQTT
		"a.iot.amazonaws.com":                                0,
		"broker.eu-west-1.amazonaws.com":                     0,
		"a1b2-ats.iot.eu-west-1.amazonaws.com.example":       0,
		"a1b2-ats.iot.eu-west-1.notamazonaws.com":            0,
		"b-1.mq.eu-west-1.amazonaws.com":                     0,
		"iot.example":                                        0,
		"127.0.0.1":                                          0,
		"[::1]":                                              0,
	} {
		uri, err := broker.ParseURI("mqtts://" + host)
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		if got := uri.MinConnectInterval(); got != want {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}
