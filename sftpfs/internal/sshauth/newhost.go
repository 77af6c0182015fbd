package sshauth

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

// CheckOrAdd is Check, but accepts the key of a host without a known key, and adds it to the first file. If hashed is
// set, it hashes the host's name there. It returns the file to which it added the key, "" if it added none.
func (k *KnownHosts) CheckOrAdd(ctx context.Context, hashed bool, host string, remote net.Addr, key ssh.PublicKey) (
	file string, err error,
) {
	if err = k.Check(host, remote, key); !errors.Is(err, errUnknownHost) {
		return "", err
	}
	if len(k.files) == 0 {
		return "", fmt.Errorf("%w, and there is no file to add it to", err)
	}
	if err = k.add(ctx, hashed, host, remote, key); err != nil {
		return "", fmt.Errorf("adding the key to %s: %w", k.files[0], err)
	}
	return k.files[0], nil
}

// add checks again before it adds the key, because another program may add a different key at the same time. The first
// one wins.
func (k *KnownHosts) add(ctx context.Context, hashed bool, host string, remote net.Addr, key ssh.PublicKey) error {
	if err := os.MkdirAll(filepath.Dir(k.files[0]), 0o700); err != nil {
		return err
	}
	// The lock is not on the file itself: on Windows, no other program could read the file meanwhile.
	lock := flock.New(k.files[0] + ".lock")
	if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return err
	}
	defer lock.Close()
	now, err := ReadKnownHosts(k.files, true)
	if err != nil {
		return err
	}
	if err := now.Check(host, remote, key); !errors.Is(err, errUnknownHost) {
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
	if now, err = ReadKnownHosts(k.files, true); err == nil {
		err = now.Check(host, remote, key) // the file may keep nothing, as a device does
	}
	if err != nil {
		err = errors.Join(err, takeBack())
	}
	return err
}

// appendLine appends line, which ends in a newline, to a text file whose last line may lack one. takeBack removes the
// line, unless others have written to the file since.
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
