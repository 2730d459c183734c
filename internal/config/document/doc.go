// Package document reads YAML and JSON strictly into Go structs and names every fault with its path and line.
//
// [ParseYAML] and [ParseJSON] make the same [Node] tree of either language, so that one shape serves the HTTP API
// and the files alike; [Node.Decode] fills a struct from it; [Revealed] is the way back, secrets included.
//
// It stands between the parsers and the structs because neither go.yaml.in/yaml, encoding/json nor mapstructure
// gives what a configuration owes its author: all faults at once, each with the path and the line, unknown and
// repeated keys refused in both languages, and no text that shows a value which may be a secret. mapstructure and
// yaml also cut 1.5 down to 1 where a whole number is asked for, and read an unquoted hexadecimal filter id such
// as 59e8 as a number; here a text field gets the characters that were written.
package document
