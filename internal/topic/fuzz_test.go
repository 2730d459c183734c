package topic_test

import (
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// Whatever the template and the message, the topic is legal and has the template's levels.
func FuzzTemplate(f *testing.F) {
	f.Add("lora/{type}/{device}", "uplink", "0004a30b001c8d5e", "", "", "", "")
	f.Add("{device}{gateway}/{network}", "a/b", "$SYS", "+\x00", "#\u0085", "\uFFFF\xFF", "🚀")
	f.Add("{application}/{device_addr}/{devices}", "", "", "{", "}", "$", strings.Repeat("é", 200))
	f.Fuzz(func(t *testing.T, source, kind, device, deviceAddr, application, gateway, network string) {
		template, err := topic.Compile(source)
		if err != nil {
			return
		}
		env := dataapi.Envelope{Type: dataapi.Type(kind), Meta: dataapi.Meta{
			Device: []byte(device), DeviceAddr: []byte(deviceAddr), Application: []byte(application),
			Gateway: []byte(gateway), Network: []byte(network),
		}}
		name := string(template.Append(nil, &env))
		if fault := illegal(name); fault != "" {
			t.Fatalf("%q gives %q: %s", source, name, fault)
		}
		if strings.Count(name, "/") != strings.Count(source, "/") {
			t.Fatalf("%q gives %q: another number of levels", source, name)
		}
		if name[0] == '$' && source[0] != '$' {
			t.Fatalf("%q gives %q: a reserved topic", source, name)
		}
		if string(env.Meta.Device) != device || string(env.Meta.Network) != network {
			t.Fatal("the message was changed")
		}
		if lacking := string(template.Append(nil, &dataapi.Envelope{})); lacking != source {
			t.Fatalf("%q gives %q for a message that lacks everything", source, lacking)
		}
	})
}

// A filter that is accepted can be used, and matches as a recursion over levels says.
func FuzzFilter(f *testing.F) {
	f.Add("lora/+/#", "lora/uplink/0004a30b001c8d5e")
	f.Add("$share/group/+/a", "$SYS/a")
	f.Add("a/#", "a")
	f.Add("a//+", "a//")
	f.Fuzz(func(t *testing.T, source, name string) {
		filter, err := topic.ParseFilter(source)
		if err != nil {
			return
		}
		levels := source
		if shared, ok := strings.CutPrefix(source, "$share/"); ok {
			_, levels, _ = strings.Cut(shared, "/")
		}
		for i, level := range strings.Split(levels, "/") {
			last := i == strings.Count(levels, "/")
			if strings.ContainsAny(level, "+#") && level != "+" && (level != "#" || !last) {
				t.Fatalf("%q was accepted", source)
			}
		}
		if fault := illegal(strings.NewReplacer("+", "", "#", "").Replace(source) + "x"); fault != "" {
			t.Fatalf("%q was accepted: %s", source, fault)
		}
		if filter.String() != source {
			t.Fatalf("String() = %q", filter)
		}
		want := name != "" && matches(strings.Split(levels, "/"), strings.Split(name, "/")) &&
			(name[0] != '$' || !strings.ContainsAny(levels[:1], "+#"))
		if got := filter.Match(name); got != want {
			t.Fatalf("%q matches %q: %t", source, name, got)
		}
		if illegal(levels) == "" && !filter.Match(levels) {
			t.Fatalf("%q does not match itself", source)
		}
	})
}

// No message's topic reaches the filter without Overlap having said so, and its example does reach it.
func FuzzOverlap(f *testing.F) {
	f.Add("lora/{type}/{device}", "lora/downlink_response/+", "uplink", "0004a30b001c8d5e", "")
	f.Add("{device}/{device}", "_x/$x", "info", "$x", "")
	f.Add("a{device}b{gateway}/{type}", "aXbY/#", "error", "X", "Y")
	f.Fuzz(func(t *testing.T, source, filterSource, kind, device, gateway string) {
		template, err := topic.Compile(source)
		if err != nil {
			return
		}
		filter, err := topic.ParseFilter(filterSource)
		if err != nil {
			return
		}
		example, overlaps := topic.Overlap(template, filter)
		switch {
		case !overlaps && example != "":
			t.Fatalf("no overlap, yet %q", example)
		case example != "" && !filter.Match(example):
			t.Fatalf("%q does not match the example %q", filterSource, example)
		case example != "" && (illegal(example) != "" || strings.Count(example, "/") != strings.Count(source, "/")):
			t.Fatalf("%q does not give the example %q", source, example)
		case example != "" && len(example) < 16 && len(placeholders(source)) < 3 && !producible(template, example):
			t.Fatalf("no message has the example %q", example)
		}
		env := dataapi.Envelope{
			Type: dataapi.Type(kind),
			Meta: dataapi.Meta{Device: []byte(device), Gateway: []byte(gateway)},
		}
		inserted := dataapi.Type(compile(t, "x{type}").Append(nil, &env)[1:])
		if inserted.FromAS() && !inserted.FromNS() {
			return // not from the Network Server
		}
		if name := string(template.Append(nil, &env)); filter.Match(name) && !overlaps {
			t.Fatalf("Overlap(%q, %q) denies %q", source, filterSource, name)
		}
	})
}
