package natsconn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// markerName is a file in the store's directory that is there while a server uses it: whoever finds it at its start
// follows one that did not stop in good order.
const markerName = "running"

// markRunning puts the marker there, on disk, and reports whether there was one.
func markRunning(dir string) (unclean bool, err error) {
	path := filepath.Join(dir, markerName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("nats.embedded.dir: make %s: %w", path, err)
	}
	if err := errors.Join(f.Sync(), f.Close(), syncDir(dir)); err != nil {
		return false, fmt.Errorf("nats.embedded.dir: sync %s: %w", path, err)
	}
	return false, nil
}

// markStopped syncs the store to disk, which a server that stops does not, and removes the marker.
func markStopped(dir string) error {
	if err := syncTree(dir); err != nil {
		return fmt.Errorf("nats.embedded.dir: sync %s: %w", dir, err)
	}
	path := filepath.Join(dir, markerName)
	if err := errors.Join(os.Remove(path), syncDir(dir)); err != nil {
		return fmt.Errorf("nats.embedded.dir: remove %s: %w", path, err)
	}
	return nil
}

// syncTree syncs every file and directory below a directory. Those that are on disk already cost little.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() && !entry.Type().IsRegular() {
			return err
		}
		return syncDir(path)
	})
}

// syncDir syncs a directory, or a file.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
