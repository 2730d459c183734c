// Package api serves a node over HTTP: whether it lives, whether it can do its work, and what it counts.
//
//	server.go  Server: listening, the bounds on clients, the end
//	health.go  /healthz and /readyz
//	token.go   the bearer tokens, asked for /metrics
package api
