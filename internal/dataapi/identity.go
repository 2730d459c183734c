package dataapi

import "crypto/sha256"

// Identity stands for a message's content. Identities are comparable and can be map keys.
type Identity [16]byte

// Identify returns the identity of a message, which need not be one that [Scan] accepts: any JSON object has one.
// It fails with ErrNotJSON or ErrNotObject.
//
// A message received live and again from history has one identity: `meta.history` does not enter it, nor do the
// order of keys, the spacing between tokens and the way a string is escaped. Everything else does, at every
// depth: a loss is a defect and a duplicate only a nuisance, so in doubt two messages are different. In
// particular numbers are compared as written (5 is not 5.0), absent is not null, and of equal keys in one
// object each counts, in their order.
//
// The identity is the first 128 bits of the SHA-256 of the message's canonical form. That form is injective
// (see canonical.go), so that two different messages share an identity only by a collision: for any two the
// odds are 2⁻¹²⁸, among a thousand million remembered messages 2⁻⁶⁹, and making one on purpose takes some 2⁶⁴
// attempts. It depends on the content alone and stays valid across restarts and between nodes.
func Identify(raw []byte) (Identity, error) {
	if err := check(raw); err != nil {
		return Identity{}, err
	}
	out := make([]byte, 0, 2*len(raw)) // the canonical form is about as long, and sorting needs room behind it
	out, _ = checked(raw).appendValue(out, skipSpace(raw, 0), atTop)
	digest := sha256.Sum256(out)
	return Identity(digest[:len(Identity{})]), nil
}
