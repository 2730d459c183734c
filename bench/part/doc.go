// Package part holds the programs that the benchmark runs beside lorry, each in a process of its own (`bench part …`).
//
//   - flood.go ns.go: the load: numbered frames, and the simulated Network Server that sends them
//   - reader.go: what the simulated Network Server can do at most
//   - publisher.go: a peer: a bare paho publisher with a window
//   - raw_publisher.go publish_packet.go: a peer: the same without a client library
//   - bridge.go feeder.go: a peer: what a developer would write in an afternoon, and the stream that it reads
//   - tally.go: a count of what a broker has received
//   - pace.go pace_ns.go pace_publisher.go: messages that carry the time of their sending, at a steady rate, by either of them
//   - stopwatch.go: an MQTT subscriber that times them; downlinks.go: a Network Server that does
//   - subscriber.go verify.go: an MQTT subscriber that checks what arrives against what was sent
//   - broker.go gate.go: an MQTT broker for where there is no mosquitto
//   - nats.go: a NATS server that is a process of its own
//   - node.go: lorry itself, with profiles of it
//   - numbers.go: what they show of themselves over HTTP
package part
