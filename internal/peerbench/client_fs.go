package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	aferosftp "github.com/spf13/afero/sftpfs"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/syncfs"
)

// withSyncfs does the task with a syncfs.Fs and its default options.
func (c clientJob) withSyncfs(ctx context.Context, remote afero.Fs, out io.Writer) (r report, err error) {
	fsys, err := syncfs.New(remote, afero.NewBasePathFs(afero.NewOsFs(), c.localDir), nil)
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, fsys.Close()) }()
	switch task(c.task) {
	case pull:
		if c.isFile {
			return report{}, fsys.Fetch(ctx, c.item)
		}
		_, err := fsys.Pull(ctx, c.item)
		return report{}, err
	case push, edits:
		add := func() error { return fsys.AddDir(c.item, nil) }
		if c.isFile {
			add = func() error { return fsys.Add(c.item) }
		}
		if err := add(); err != nil {
			return report{}, err
		}
		pushed, err := fsys.Push(ctx)
		return report{Changes: len(pushed.Results), Bytes: pushed.Bytes}, err
	}
	return c.generic(fsys, out)
}

func (c clientJob) withAfero(out io.Writer) (report, error) {
	layer := afero.NewBasePathFs(afero.NewOsFs(), c.localDir)
	switch task(c.task) {
	case cached: // no connection: this tool would connect before it knows that it need not
		return c.generic(afero.NewCacheOnReadFs(afero.NewMemMapFs(), layer, 0), out)
	case push: // this tool also writes uploads into its cache
		layer = afero.NewBasePathFs(afero.NewOsFs(), c.scratch)
	}
	connection, err := c.dial()
	if err != nil {
		return report{}, err
	}
	defer connection.Close()
	session, err := sftp.NewClient(connection)
	if err != nil {
		return report{}, err
	}
	defer session.Close()
	return c.generic(afero.NewCacheOnReadFs(afero.NewBasePathFs(aferosftp.New(session), c.remoteDir), layer, 0), out)
}

func (c clientJob) dial() (*ssh.Client, error) {
	known, err := knownhosts.New(c.knownHosts)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(c.key)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", c.addr, &ssh.ClientConfig{User: c.user,
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: known})
}
