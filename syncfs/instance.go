package syncfs

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// instance is a name for the local directory, made when it is used first: temporary names on a remote that many
// share are told apart by it, and found again after a restart.
func instance(dir *localdir.Dir) (id string, err error) {
	const name = localdir.StateDir + "/instance"
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}()
	f, err := dir.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, 32)
	if _, err := f.ReadAt(b, 0); err == nil {
		return string(b), nil
	}
	b = []byte(hex.EncodeToString(random(16)))
	if _, err := f.WriteAt(b, 0); err != nil {
		return "", err
	}
	return string(b), errors.Join(f.Sync(), dir.SyncDir(localdir.StateDir))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// newTempName is a name of a fixed length that nothing has yet.
func newTempName(suffix string) string {
	return localdir.Prefix + hex.EncodeToString(random(8)) + suffix
}

// tempName is the name that a node, or what it replaces, has for a moment in a directory of the remote: always the
// same, of a fixed length, and no other local directory's.
func (s *shared) tempName(n *tree.Node, suffix string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", s.temp, n.ID))
	return localdir.Prefix + hex.EncodeToString(sum[:8]) + suffix
}
