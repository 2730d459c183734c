package dataapi_test

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestDirection(t *testing.T) {
	tests := []struct {
		kind           dataapi.Type
		fromNS, fromAS bool
	}{
		{dataapi.Uplink, true, false},
		{dataapi.Downlink, true, false},
		{dataapi.DownlinkRequest, true, false},
		{dataapi.DownlinkResponse, false, true},
		{dataapi.DownlinkClaim, false, true},
		{dataapi.JoinRequest, true, false},
		{dataapi.JoinResponse, false, true},
		{dataapi.StatusRequest, false, true},
		{dataapi.StatusResponse, true, false},
		{dataapi.Status, true, true},
		{dataapi.Location, true, false},
		{dataapi.Error, true, false},
		{dataapi.Warning, true, false},
		{dataapi.Info, true, false},
		{"multicast_report", false, false},
		{"", false, false},
		{"Uplink", false, false},
	}
	for _, test := range tests {
		if got := test.kind.FromNS(); got != test.fromNS {
			t.Errorf("%q.FromNS() = %t", test.kind, got)
		}
		if got := test.kind.FromAS(); got != test.fromAS {
			t.Errorf("%q.FromAS() = %t", test.kind, got)
		}
	}
}

func TestEnvelopeFromNS(t *testing.T) {
	tests := []struct {
		raw  string
		want bool
	}{
		{`{"type":"uplink","params":{"port":1}}`, true},
		{`{"type":"uplink"}`, true},
		{`{"type":"error","meta":{}}`, true},
		{`{"type":"downlink_response","params":{"port":1}}`, false},
		{`{"type":"downlink_claim"}`, false},
		{`{"type":"status"}`, false},
		{`{"type":"status","params":null}`, false},
		{`{"type":"status","params":{ }}`, false},
		{`{"type":"status","params":{"battery":254}}`, true},
		{`{"type":"status","params":[]}`, true},
		{`{"type":"status","params":{},"params":{"battery":254}}`, true},
		{`{"type":"multicast_report","params":{"a":1}}`, false},
	}
	for _, test := range tests {
		env, err := dataapi.Scan([]byte(test.raw))
		if err != nil {
			t.Errorf("Scan(%s): %v", test.raw, err)
		} else if got := env.FromNS(); got != test.want {
			t.Errorf("FromNS() of %s = %t", test.raw, got)
		}
	}
}

func TestQuotesComplaint(t *testing.T) {
	tests := []struct {
		raw  string
		want bool
	}{
		{string(fixture(t, "error.json")), true},
		{`{"topic":"up","payload":"{\"type\":\"error\",\"params\":{\"message\":\"Bad message format. Received data: {}\"}}"}`, true},
		{`[{"type":"error","params":{"message":"Bad message format. Received data: 1"}}]`, true},
		{string(fixture(t, "error_device.json")), false},
		{string(fixture(t, "downlink_response.json")), false},
		{`{"type":"downlink_response","params":{"payload":"Bad message format"}}`, false},
		{"", false},
	}
	for _, test := range tests {
		if got := dataapi.QuotesComplaint([]byte(test.raw)); got != test.want {
			t.Errorf("QuotesComplaint(%s) = %t", test.raw, got)
		}
	}
}
