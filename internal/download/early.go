package download

import (
	"errors"
	"io"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// early requests a file while its version is still unknown. That saves a round trip when the whole file is wanted. The
// bytes wait until the target is known.
type early struct {
	into chan *transfer // receives the target; closed without one: the bytes are not wanted
	done Event          // the file has written itself
	err  error          // the error of the transfer; valid after done

	to *transfer // only for the goroutine that writes
}

// startEarly starts an early request if the whole file is wanted and no partial file exists. It returns nil for a small
// file, which arrives together with its version.
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

// Write takes the next bytes.
func (e *early) Write(p []byte) (int, error) {
	if e.to == nil {
		e.to = <-e.into
	}
	if e.to == nil {
		return 0, errUnwanted
	}
	return e.to.Write(p)
}

// give sets the target of the bytes, and waits for the end of the file.
func (e *early) give(t *transfer) error {
	e.into <- t
	<-e.done
	return e.err
}

// end ends an early whose bytes are not wanted. e may be nil.
func (e *early) end() {
	if e == nil || e.done.Happened() {
		return
	}
	close(e.into)
	<-e.done
}
