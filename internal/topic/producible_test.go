package topic_test

import (
	"strings"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

var setters = map[string]func(env *dataapi.Envelope, value string){
	"{device}":      func(env *dataapi.Envelope, value string) { env.Meta.Device = []byte(value) },
	"{device_addr}": func(env *dataapi.Envelope, value string) { env.Meta.DeviceAddr = []byte(value) },
	"{application}": func(env *dataapi.Envelope, value string) { env.Meta.Application = []byte(value) },
	"{gateway}":     func(env *dataapi.Envelope, value string) { env.Meta.Gateway = []byte(value) },
	"{network}":     func(env *dataapi.Envelope, value string) { env.Meta.Network = []byte(value) },
	"{type}":        func(env *dataapi.Envelope, value string) { env.Type = dataapi.Type(value) },
}

// placeholders returns which ones a template has.
func placeholders(template string) (used []string) {
	for placeholder := range setters {
		if strings.Contains(template, placeholder) {
			used = append(used, placeholder)
		}
	}
	return used
}

// producible reports whether some message from the Network Server has the topic, by trying all whose values are
// parts of it, or would be but for a $ in front. That takes long unless the topic is short and the placeholders
// are few.
func producible(template *topic.Template, name string) bool {
	values := map[string]bool{"": true}
	for i := range name {
		for j := i + 1; j <= len(name); j++ {
			values[name[i:j]] = true
			if name[i] == '_' {
				values["$"+name[i+1:j]] = true
			}
		}
	}
	var try func(env dataapi.Envelope, unset []string) bool
	try = func(env dataapi.Envelope, unset []string) bool {
		if len(unset) == 0 {
			return !(env.Type.FromAS() && !env.Type.FromNS()) && string(template.Append(nil, &env)) == name
		}
		for value := range values {
			setters[unset[0]](&env, value)
			if try(env, unset[1:]) {
				return true
			}
		}
		return false
	}
	return try(dataapi.Envelope{Type: dataapi.Uplink}, placeholders(template.String()))
}
