package syncfs

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// newTempName returns a new name of a fixed length.
func newTempName(suffix string) string {
	return localdir.Prefix + hex.EncodeToString(random(8)) + suffix
}
