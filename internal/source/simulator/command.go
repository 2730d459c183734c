package simulator

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// command is a client's message, read and of the right shape.
type command struct {
	kind        dataapi.Type
	device      string
	packetID    string
	gateway     string
	answer      answer
	queueIfLate bool
	nwkSKey     string
	accept      string
}

// fields is a JSON object whose members are read one by one; the first mistake sticks. Keys are taken exactly as
// written, and null counts as absent.
type fields struct {
	name    string
	members map[string]json.RawMessage
	err     error
}

func (f *fields) fail(key, want string) {
	if f.err == nil {
		f.err = fmt.Errorf("%s%s is not %s", f.name, key, want)
	}
}

func (f *fields) get(key string, to any, want string) bool {
	member, ok := f.members[key]
	if !ok || string(member) == "null" {
		return false
	}
	if json.Unmarshal(member, to) != nil {
		f.fail(key, want)
		return false
	}
	return true
}

func (f *fields) text(key string) (v string) { f.get(key, &v, "a string"); return v }

func (f *fields) flag(key string) (v bool) { f.get(key, &v, "a boolean"); return v }

func (f *fields) number(key string, lowest, highest, instead uint32) uint32 {
	v := instead
	if f.get(key, &v, "a whole number") && (v < lowest || v > highest) {
		f.fail(key, fmt.Sprintf("a whole number from %d to %d", lowest, highest))
	}
	return v
}

func (f *fields) object(key string) *fields {
	o := &fields{name: key + "."}
	f.get(key, &o.members, "an object")
	return o
}

// parseCommand reads a client's frame; its error says why the NS calls it a bad message.
func parseCommand(frame []byte) (command, error) {
	var c command
	top := &fields{}
	if err := json.Unmarshal(frame, &top.members); err != nil || top.members == nil {
		return c, errors.New("is not a JSON object")
	}
	c.kind = dataapi.Type(top.text("type"))
	meta, params := top.object("meta"), top.object("params")
	if top.err != nil {
		return c, top.err
	}
	c.device, c.packetID, c.gateway = meta.text("device"), meta.text("packet_id"), meta.text("gateway")
	switch c.kind {
	case dataapi.DownlinkResponse:
		c.readResponse(meta, params)
	case dataapi.JoinResponse:
		c.nwkSKey, c.accept = params.text("nwkskey"), params.text("accept_payload")
		if c.nwkSKey == "" || c.accept == "" {
			params.fail("nwkskey and accept_payload", "both there")
		}
		fallthrough
	case dataapi.DownlinkClaim, dataapi.StatusRequest:
		if c.device == "" {
			meta.fail("device", "there")
		}
	case dataapi.Status:
		if len(params.members) > 0 {
			params.fail("*", "empty, as a status request's are")
		}
		if c.device == "" {
			meta.fail("device", "there")
		}
	default:
		return c, fmt.Errorf("type %q is not one that an Application Server sends", c.kind)
	}
	return c, errors.Join(meta.err, params.err)
}

func (c *command) readResponse(meta, params *fields) {
	if c.device == "" && c.packetID == "" {
		meta.fail("device and packet_id", "there, not even one of them")
	}
	c.answer = answer{
		payload: params.text("payload"), encrypted: params.text("encrypted_payload"),
		port:      uint8(params.number("port", 1, 255, 1)),
		confirmed: params.flag("confirmed"), pending: params.flag("pending"),
	}
	if (c.answer.payload == "") == (c.answer.encrypted == "") {
		params.fail("payload or encrypted_payload", "there, one and only one of them")
	}
	params.number("counter_down", 0, 1<<32-1, 0) // the NS counts for itself
	c.queueIfLate = params.flag("queue_if_late")
}
