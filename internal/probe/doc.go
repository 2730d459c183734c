// Package probe tests a connection's configuration before it is relied on: it goes the way that the connection would go,
// to the broker and to the Network Server, stage by stage, and says how long each took, and of the one that fails the
// likely cause and the mend.
//
// It uses the same code and the same policy of egress as the connection and disturbs none that runs: it has a client ID
// of its own, a clean session, and a stream of its own. What the customer's side sees of it:
//
//   - A session that subscribes to topic_down, if there is one, and passes on nothing of what arrives. A shared
//     subscription ($share/GROUP/FILTER) would take messages from its group, so the filter within is subscribed to.
//   - One message at QoS 1, never retained, to topic_up with its placeholders as they stand: lora/{type}/{device}. That is
//     where lorry publishes a message that lacks the fields, so it is within what an application's broker lets lorry
//     publish to, and reaches only subscribers to wildcards; where topic_up has no placeholders it is the topic itself.
//     The message is an `info` of the Data API that says that it is a test.
//
// A broker may acknowledge a message and discard it, for want of a way to refuse one in MQTT 3.1.1: a PUBACK is no proof
// of delivery. A broker that admits a single client ID refuses the test, which says so.
//
//	probe.go   Report and Probe
//	course.go  how far one end has got, and when
//	broker.go  the way to the broker
//	source.go  the way to the Network Server
//	mend.go    what to do about a failure, beyond what broker and source say
package probe
