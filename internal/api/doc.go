// Package api serves a node over HTTP: the management of its connections, whether it lives and can do its work, and
// what it counts.
//
//	server.go       Server: listening, TLS, the bounds on clients, the end
//	guard.go        what every request passes: origin, token, rate
//	token.go        bearer tokens: who asks, and what of
//	rate.go         how often
//	health.go       /healthz and /readyz
//	management.go   /api/v1: the operations, with what huma is told of them
//	service.go      what the operations work on, as interfaces
//	problem.go      errors as RFC 9457 has them
//	connection.go   reading and listing connections
//	write.go        create, replace, change, delete
//	patch.go        JSON Merge Patch (RFC 7396)
//	command.go      pause, resume, restart, test, replay
//	parked.go       frames that were set aside
//	log.go          a connection's events, as a list or as a stream
//	node.go         the nodes
//	schema.go       what /openapi.json says of the connection
//	docs.go         /docs, which needs nothing but this server
package api
