// Package part holds the programs that the benchmark runs beside lorry, each in a process of its own (`bench part …`).
//
//   - flood.go ns.go: the load: numbered frames, and the simulated Network Server that sends them
//   - publisher.go: the peer: a bare paho publisher with a window
//   - subscriber.go verify.go: an MQTT subscriber that checks what arrives against what was sent
//   - broker.go gate.go: an MQTT broker for where there is no mosquitto
//   - nats.go: a NATS server that is a process of its own
//   - node.go: lorry itself, with profiles of it
//   - numbers.go: what they show of themselves over HTTP
package part
