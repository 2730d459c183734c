package document

import (
	"slices"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// Merge appends to the faults of decoding those of validating what was decoded, except at fields that did not
// decode: their values are not what was written, so whatever else is said about them is noise.
func Merge(decoding, validating fault.List) fault.List {
	all := slices.Clone(decoding)
	for _, f := range validating {
		if !slices.ContainsFunc(decoding, func(d fault.Fault) bool { return within(f.Path, d.Path) }) {
			all = append(all, f)
		}
	}
	return all
}
