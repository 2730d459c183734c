// Package soak runs lorry under faults drawn from a seed, and then looks at every frame.
//
//	Network Server ── wire ── lorry ── wire ── PUBACK proxy ── broker
//	 (in this process)      (process)                         (process)
//
// lorry is the program as it is built, with the embedded JetStream or with a NATS server that is a process of its own. The
// proxy before each broker notes what passes it: each PUBLISH, and each PUBACK that the broker sent, so that nobody who
// comes and goes with the broker has to remember. The simulated Network Server has a witness of what it generated and
// what it handed to each stream. From these two alone the verdict is made.
//
// A map of the package:
//
//   - fault.go plan.go: what can happen, and what a seed makes of it
//   - run.go stage.go route.go program.go: the programs and wires, and a run from beginning to end
//   - inflict.go inflict_wire.go timeline.go: faults, as they happen
//   - ledger.go record.go evidence.go: what was sent, what arrived
//   - verdict.go order.go repeats.go: whether every promise was kept
//   - summary.go missing.go: how it is told
package soak
