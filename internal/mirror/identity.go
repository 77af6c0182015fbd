package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/localstore"
)

// ErrRemoteChanged means that the local directory was used for another remote.
var ErrRemoteChanged = errors.New("the local directory belongs to another remote")

// RemoteChangedError names the remote that the local directory was used for and the one that was given. It matches
// ErrRemoteChanged.
type RemoteChangedError struct{ Recorded, Given string }

func (e *RemoteChangedError) Error() string {
	return fmt.Sprintf("%v: it was used for %s, and is given %s", ErrRemoteChanged, e.Recorded, e.Given)
}

// Is matches ErrRemoteChanged.
func (e *RemoteChangedError) Is(target error) bool { return target == ErrRemoteChanged }

// maxIdentity is the longest identity that is recorded, in bytes.
const maxIdentity = 64 << 10

// identify compares the identity of the remote with the recorded one. It returns the identity to be recorded.
func identify(recorded *localstore.Directory, base afero.Fs, adopt bool) (identity string, changed bool, err error) {
	if recorded != nil {
		identity = recorded.Remote
	}
	given := ""
	if i, ok := base.(contract.Identifier); ok {
		given = i.Identity()
	}
	if len(given) > maxIdentity || !utf8.ValidString(given) { // the record would not read back unchanged
		return identity, false, fmt.Errorf("%w: the identity of the remote is no text, or has more than %d bytes", fs.ErrInvalid,
			maxIdentity)
	}
	if given == "" || given == identity {
		return identity, false, nil
	}
	if changed = identity != ""; changed && !adopt {
		return identity, changed, &RemoteChangedError{Recorded: identity, Given: given}
	}
	return given, changed, nil
}
