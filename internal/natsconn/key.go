package natsconn

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// keyRounds makes guessing a key from its proof as slow as a start can bear (some 50 ms).
const keyRounds = 200_000

// plainStore is the proof of a store without a key.
const plainStore = "not encrypted"

// checkKey makes sure that a store is opened with the key it was made with. The server itself would pass over
// everything that it cannot decrypt, and write anew in its place.
func checkKey(dir string, key secret.String) error {
	path := filepath.Join(dir, "key-proof")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writeProof(path, key)
	}
	if err != nil {
		return fmt.Errorf("nats.embedded.dir: %w", err)
	}
	proof := strings.TrimSpace(string(content))
	if proof == plainStore {
		if key.IsZero() {
			return nil
		}
		return fmt.Errorf("nats.embedded.encryption_key: the store in %s was made without a key: leave it empty, or begin with another directory", dir)
	}
	if key.IsZero() {
		return fmt.Errorf("nats.embedded.encryption_key: the store in %s is encrypted: give the key it was made with", dir)
	}
	salt, err := hex.DecodeString(strings.Split(proof, " ")[0])
	if err != nil {
		return fmt.Errorf("nats.embedded.dir: %s is damaged: %w", path, err)
	}
	expected, err := proofOf(key, salt)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(expected), []byte(proof)) {
		return fmt.Errorf("nats.embedded.encryption_key: it is not the key that the store in %s was made with; nothing was changed", dir)
	}
	return nil
}

func writeProof(path string, key secret.String) error {
	proof := plainStore
	if !key.IsZero() {
		salt := make([]byte, 16)
		if _, err := rand.Read(salt); err != nil {
			return fmt.Errorf("make a salt: %w", err)
		}
		var err error
		if proof, err = proofOf(key, salt); err != nil {
			return err
		}
	}
	if err := os.WriteFile(path, []byte(proof+"\n"), 0o600); err != nil {
		return fmt.Errorf("nats.embedded.dir: %w", err)
	}
	return nil
}

// proofOf is what tells a key without revealing it: the salt, and what PBKDF2 (RFC 8018) makes of both.
func proofOf(key secret.String, salt []byte) (string, error) {
	derived, err := pbkdf2.Key(sha256.New, key.Reveal(), salt, keyRounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive the proof of nats.embedded.encryption_key: %w", err)
	}
	return hex.EncodeToString(salt) + " " + hex.EncodeToString(derived), nil
}
