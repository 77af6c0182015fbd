package syncfs

import "sync/atomic"

// learned is what was learned about the remote since New.
type learned struct {
	takes       atomic.Bool // it takes a file as soon as that is closed
	picksUp     atomic.Bool // a file that was renamed is gone soon after
	stale       atomic.Bool // its answers may be stale
	renewsTimes atomic.Bool // a file that is renamed gets a new time
	closesFirst atomic.Bool // a file must be closed before its times are set
}
