// Package config is the node's configuration: a YAML file, environment variables over it, defaults under both.
//
//	types.go     Config, section by section
//	values.go    the texts that stand for sizes, intervals and server lists
//	defaults.go  what a configuration leaves unsaid
//	load.go      Load: file and environment in, Config or every fault with its place out
//	env.go       the environment variables, one for each key
//	validate*.go what a section must be, and how sections bear on each other
//	warnings.go  what is valid but may not be meant
//	files.go     the files that a configuration names
//	document/    strict reading of YAML and JSON
package config
