package testkit

import (
	"slices"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook admits clients and notes what they do.
type hook struct {
	mochi.HookBase
	options *brokerOptions
	record  *record
	turns   *turns
}

func (*hook) ID() string { return "testkit" }

func (*hook) Provides(event byte) bool {
	switch event {
	case mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPacketRead, mochi.OnPublish,
		mochi.OnSubscribed, mochi.OnUnsubscribed,
		mochi.OnSessionEstablish, mochi.OnSessionEstablished, mochi.OnDisconnect:
		return true
	}
	return false
}

func (h *hook) OnSessionEstablish(client *mochi.Client, _ packets.Packet) {
	h.turns.take(client.ID, client.Net.Conn)
}

func (h *hook) OnSessionEstablished(client *mochi.Client, _ packets.Packet) {
	h.turns.end(client.Net.Conn)
}

// OnDisconnect comes before mochi cleans up; the listener ends the turn after it.
func (h *hook) OnDisconnect(client *mochi.Client, _ error, _ bool) {
	h.turns.take(client.ID, client.Net.Conn)
}

func (h *hook) OnConnectAuthenticate(_ *mochi.Client, connect packets.Packet) bool {
	if len(h.options.users) == 0 {
		return true
	}
	password, known := h.options.users[string(connect.Connect.Username)]
	return known && password == string(connect.Connect.Password)
}

func (h *hook) OnACLCheck(client *mochi.Client, topic string, write bool) bool {
	return h.options.acl == nil || h.options.acl(string(client.Properties.Username), topic, write)
}

func (h *hook) OnPacketRead(_ *mochi.Client, packet packets.Packet) (packets.Packet, error) {
	switch packet.FixedHeader.Type {
	case packets.Connect:
		h.record.note(func() { h.record.connects++ })
	case packets.Disconnect:
		h.record.note(func() { h.record.disconnects++ })
	}
	return packet, nil
}

func (h *hook) OnPublish(client *mochi.Client, packet packets.Packet) (packets.Packet, error) {
	if client.Net.Inline || h.options.unrecorded {
		return packet, nil
	}
	h.record.note(func() {
		h.record.published = append(h.record.published, Publish{
			Client: client.ID, Topic: packet.TopicName, Payload: slices.Clone(packet.Payload),
			QoS: packet.FixedHeader.Qos, Retain: packet.FixedHeader.Retain, Dup: packet.FixedHeader.Dup,
		})
	})
	return packet, nil
}

func (h *hook) OnSubscribed(_ *mochi.Client, packet packets.Packet, granted []byte) {
	h.record.note(func() {
		for i, subscription := range packet.Filters {
			if granted[i] < 0x80 {
				h.record.subscriptions[subscription.Filter]++
			}
		}
	})
}

func (h *hook) OnUnsubscribed(_ *mochi.Client, packet packets.Packet) {
	h.record.note(func() {
		for _, subscription := range packet.Filters {
			h.record.subscriptions[subscription.Filter]--
		}
	})
}
