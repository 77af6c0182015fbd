package download

import (
	"errors"
	"io"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// early is a file of the remote that writes itself while its version is still asked for: that spares a round trip where
// all of it is wanted anyway. What comes waits until it is known where it goes.
type early struct {
	into chan *transfer // gets that; closed without: it is not wanted
	done Event          // the file has written itself
	err  error          // why it ended; may be read then

	to *transfer // the writing goroutine's
}

// startEarly begins that, if all is wanted, and nothing of it is here. A small file comes with its version.
func (d *Download) startEarly(src afero.File) *early {
	w, ok := src.(io.WriterTo)
	if !ok || !d.wanted.Happened() || d.file.Known.Size <= remote.HeadSize || d.owner.HasPartial() {
		return nil
	}
	e := &early{into: make(chan *transfer, 1), done: make(Event)}
	go func() {
		defer e.done.happen()
		_, e.err = w.WriteTo(e)
	}()
	return e
}

var errUnwanted = errors.New("it is another version")

// Write takes what comes next.
func (e *early) Write(p []byte) (int, error) {
	if e.to == nil {
		e.to = <-e.into
	}
	if e.to == nil {
		return 0, errUnwanted
	}
	return e.to.Write(p)
}

// give says where what comes goes, and waits for the end.
func (e *early) give(t *transfer) error {
	e.into <- t
	<-e.done
	return e.err
}

// end ends what was not given to anybody. It may be nil.
func (e *early) end() {
	if e == nil || e.done.Happened() {
		return
	}
	close(e.into)
	<-e.done
}
