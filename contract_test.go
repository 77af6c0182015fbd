package syncfs_test

import (
	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// sftpfs has all that a remote may have. It does not import the contract: any afero.Fs is a remote.
var (
	_ afero.Symlinker         = (*sftpfs.Fs)(nil)
	_ contract.ContextBinder  = (*sftpfs.Fs)(nil)
	_ contract.Settler        = (*sftpfs.Fs)(nil)
	_ contract.Connecter      = (*sftpfs.Fs)(nil)
	_ contract.Identifier     = (*sftpfs.Fs)(nil)
	_ contract.Expecter       = (*sftpfs.Fs)(nil)
	_ contract.RoundTripTimer = (*sftpfs.Fs)(nil)
	_ contract.DirReader      = (*sftpfs.Fs)(nil)
	_ contract.DirMaker       = (*sftpfs.Fs)(nil)
	_ contract.FileReplacer   = (*sftpfs.Fs)(nil)
	_ contract.VersionReader  = (*sftpfs.Fs)(nil)
	_ contract.Stager         = (*sftpfs.Fs)(nil)
	_ contract.ContentKeeper  = (*sftpfs.Fs)(nil)
	_ contract.TimeKeeper     = (*sftpfs.Fs)(nil)

	_ contract.ParallelReader = (*sftpfs.File)(nil)
	_ contract.Acknowledger   = (*sftpfs.File)(nil)
	_ contract.OrderedWriter  = (*sftpfs.File)(nil)
)
