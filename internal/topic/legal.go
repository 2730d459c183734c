package topic

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxBytes is the length of the longest topic name and topic filter (MQTT 3.1.1 §4.7.3).
const MaxBytes = 65535

// legal returns nil when s can be sent as an MQTT string that must not be empty (MQTT 3.1.1 §1.5.3, §4.7.3).
func legal(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > MaxBytes:
		return fmt.Errorf("it has %d bytes, MQTT allows %d", len(s), MaxBytes)
	}
	for at, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[at:]); size == 1 {
				return fmt.Errorf("invalid UTF-8 at byte %d", at)
			}
		}
		if forbidden(r) {
			return fmt.Errorf("character %U at byte %d, which brokers may refuse", r, at)
		}
	}
	return nil
}

// forbidden reports whether r must not or should not be in an MQTT string: NUL, control characters, and the code
// points that Unicode calls noncharacters (MQTT 3.1.1 §1.5.3).
func forbidden(r rune) bool {
	return r < 0x20 || r >= 0x7F && r <= 0x9F || r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}
