package simulator

import (
	"slices"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Filter selects messages. An empty list passes everything; within a list one match is enough; a message must pass
// all lists. A message that lacks a field (an error has no device) passes no list of that field.
type Filter struct {
	// Types are message types. status_response passes messages of the plain type status too, as the NS uses both
	// for one thing.
	Types []dataapi.Type
	// Gateways, Applications (JoinEUI) and Devices (DevEUI) are 16 hexadecimal digits each, in either case.
	Gateways, Applications, Devices []string
	// Tags are compared with meta.tags.
	Tags []string
}

// defaultTypes pass when a client names neither a filter nor types.
var defaultTypes = []dataapi.Type{
	dataapi.Uplink, dataapi.Downlink, dataapi.DownlinkRequest, dataapi.JoinRequest, dataapi.StatusResponse,
}

// AnyFilter is the id in [Config.Filters] of the filter that stands for every id not listed there.
const AnyFilter = "*"

// sieve is a filter made ready for use; a nil set passes everything.
type sieve struct {
	types, gateways, applications, devices, tags map[string]bool
}

func (f Filter) compile() sieve {
	types := make([]string, 0, len(f.Types)+2)
	for _, t := range f.Types {
		types = append(types, string(t))
	}
	if slices.Contains(f.Types, dataapi.StatusResponse) || slices.Contains(f.Types, dataapi.Status) {
		types = append(types, string(dataapi.Status), string(dataapi.StatusResponse))
	}
	return sieve{
		types: set(types, strings.TrimSpace), gateways: set(f.Gateways, strings.ToLower),
		applications: set(f.Applications, strings.ToLower), devices: set(f.Devices, strings.ToLower),
		tags: set(f.Tags, strings.TrimSpace),
	}
}

func set(values []string, normal func(string) string) map[string]bool {
	if len(values) == 0 {
		return nil
	}
	s := make(map[string]bool, len(values))
	for _, v := range values {
		s[normal(v)] = true
	}
	return s
}

// passes tells whether the message passes every list but that of gateways, which is a matter of each copy.
func (s *sieve) passes(m *message) bool {
	if s.types != nil && !s.types[string(m.kind)] {
		return false
	}
	if s.applications == nil && s.devices == nil && s.tags == nil {
		return true
	}
	if m.device == nil {
		return false
	}
	return (s.applications == nil || s.applications[m.device.joinEUI]) &&
		(s.devices == nil || s.devices[m.device.eui]) &&
		(s.tags == nil || slices.ContainsFunc(m.device.tags, func(t string) bool { return s.tags[t] }))
}

// hears tells whether a copy that came through the gateway passes; gateway is empty when the message has none.
func (s *sieve) hears(gateway string) bool {
	return s.gateways == nil || s.gateways[gateway]
}
