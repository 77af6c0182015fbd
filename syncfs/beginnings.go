package syncfs

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/bits"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A delivery that is interrupted leaves the beginning of a file under its final name. The next Push must know it for its
// own, also if the program has changed or removed the local file since. So short hashes of the beginnings of the content
// are recorded before the delivery, and only what agrees with them is sent.

// beginningSize is the number of bytes of each hash.
const beginningSize = 8

// nextBeginning returns the length of the beginning that is hashed after the one of a length. Lengths up to 8 are one
// apart, and further ones at most a quarter of themselves.
func nextBeginning(length int64) int64 {
	return length + max(1, int64(1)<<bits.Len64(uint64(length))>>3)
}

// beginnings returns the hashes of the beginnings of a content, one after the other, and of all of it.
func (s *Fs) beginnings(c content) (string, error) {
	local, err := s.openContent(c)
	if err != nil {
		return "", err
	}
	defer local.Close()
	src := &source{ctx: s.m.Context(), f: local, size: c.stamp.Size, hash: sha256.New()}
	var sums []byte
	for src.off < c.stamp.Size {
		_, err := io.CopyN(io.Discard, src, min(nextBeginning(src.off), c.stamp.Size)-src.off)
		if errors.Is(err, io.EOF) {
			err = errShorter
		}
		if err != nil {
			return "", err
		}
		sums = append(sums, beginning(src.hash)...)
	}
	return string(sums), nil
}

func beginning(h hash.Hash) []byte { return h.Sum(nil)[:beginningSize] }

// agreement compares a content, as it is read to be sent, with the recorded hashes of its beginnings. A program may have
// written to the file meanwhile.
type agreement struct {
	size   int64
	sums   string // of the beginnings that were not read yet
	before int64  // length of the one before them
}

// hash hashes bytes that begin at an offset. It returns how many of them may be sent: those before the end of the first
// beginning that is not the recorded one.
func (a *agreement) hash(h hash.Hash, p []byte, off int64) (n int, err error) {
	for n < len(p) {
		next := min(nextBeginning(a.before), a.size)
		piece := p[n:min(int64(len(p)), int64(n)+next-off)]
		h.Write(piece)
		off += int64(len(piece))
		if off == next {
			if !strings.HasPrefix(a.sums, string(beginning(h))) {
				return n, errWrittenMeanwhile
			}
			a.before, a.sums = next, a.sums[beginningSize:]
		}
		n += len(piece)
	}
	return n, nil
}

// beginsWith reports whether the remote's file is the beginning of what was delivered, or all of it. Up to a fifth of a
// beginning is not compared.
func (s *Fs) beginsWith(i *tree.Intent, now tree.Meta) (yes bool, err error) {
	if now.Size == 0 || now.Size > i.Stamp.Size {
		return now.Size == 0, nil
	}
	length, sum := int64(0), ""
	for sums := i.Beginnings; len(sums) >= beginningSize; sums = sums[beginningSize:] {
		next := min(nextBeginning(length), i.Stamp.Size)
		if length == next || next > now.Size {
			break
		}
		length, sum = next, sums[:beginningSize]
	}
	f, err := s.m.Remote().OpenVersion(i.To, now)
	if err != nil {
		return false, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err = io.CopyN(h, f, length); errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil && string(beginning(h)) == sum, remote.Error(err)
}
