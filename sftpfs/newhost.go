package sftpfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// checkOrAdd accepts also the key of a host of which no key is known, and adds it to the first file. hashed has the name
// of the host unreadable there.
func (k *knownHosts) checkOrAdd(ctx context.Context, hashed bool, host string, remote net.Addr, key ssh.PublicKey) (
	added bool, err error,
) {
	if err = k.check(host, remote, key); !errors.Is(err, errUnknownHost) {
		return false, err
	}
	if len(k.files) == 0 {
		return false, fmt.Errorf("%w, and there is no file to add it to", err)
	}
	if err = k.add(ctx, hashed, host, remote, key); err != nil {
		return false, fmt.Errorf("adding the key to %s: %w", k.files[0], err)
	}
	return true, nil
}

// add looks once more before it adds the key, for someone else may add another one at the same time. Who came first is
// right.
func (k *knownHosts) add(ctx context.Context, hashed bool, host string, remote net.Addr, key ssh.PublicKey) error {
	if err := os.MkdirAll(filepath.Dir(k.files[0]), 0o700); err != nil {
		return err
	}
	// Not the file itself: on Windows nobody could read it meanwhile.
	lock := flock.New(k.files[0] + ".lock")
	if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return err
	}
	defer lock.Close()
	now, err := readKnownHosts(k.files, true)
	if err != nil {
		return err
	}
	if err := now.check(host, remote, key); !errors.Is(err, errUnknownHost) {
		return err
	}
	name := knownhosts.Normalize(host)
	if hashed {
		name = xknownhosts.HashHostname(name)
	}
	takeBack, err := appendLine(k.files[0], name+" "+string(ssh.MarshalAuthorizedKey(key)))
	if err != nil {
		return err
	}
	if now, err = readKnownHosts(k.files, true); err == nil {
		err = now.check(host, remote, key) // the file may be one that keeps nothing
	}
	if err != nil {
		err = errors.Join(err, takeBack())
	}
	return err
}

// appendLine appends line, which ends as one does, to a text file whose last line may not. takeBack removes it, unless others
// have written to the file since.
func appendLine(file, line string) (takeBack func() error, err error) {
	before, err := textfile.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		line = "\n" + line
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(line)
	return func() error {
		now, err := textfile.Read(file)
		if err != nil || string(now) != string(before)+line {
			return err
		}
		return os.Truncate(file, int64(len(before)))
	}, errors.Join(err, f.Sync(), f.Close())
}
