package download

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Download is one version of a remote file on its way into a temporary file. It is safe for concurrent use. It stays
// usable while somebody holds it: its maker until [Download.Run] returns, and each reader until Release.
type Download struct {
	store  *Store
	source Source
	owner  Owner
	file   File
	parent context.Context
	ctx    context.Context // ends with parent, and with the download
	cancel context.CancelFunc
	began  time.Time // when the first byte was requested, or earlier; only for Run

	// Opened: the remote has opened the file.
	Opened Event
	// Begun: the version is known, and the first bytes have arrived.
	Begun Event
	// Done: the download has its outcome, a copy or none.
	Done Event
	// Left: the bytes that arrived are a partial file, or are deleted.
	Left Event
	// Closed: no file is open on the remote any more. Like all these events, it happens at the end in any case.
	Closed Event

	wanted   Event          // the whole file is wanted
	requests sync.WaitGroup // requests of ranges
	pool     *filePool      // for requests of ranges

	mu      lockorder.Mutex[lock] // guards the fields below; no I/O while it is held
	news    chan struct{}         // closed and replaced when one of them changes
	src     afero.File            // nil: not open
	version tree.Meta             // may be read without the lock once Begun has happened
	current *localdir.File        // what readers read: the temporary file, or the file of HandOver
	files   []*localdir.File      // all that current has ever been
	temp    string                // name of the temporary file
	into    *localdir.File        // the temporary file
	end     int64                 // length of the version; if its stated size is 0, set when the file is whole
	holders int                   // of files: readers and Run
	arrived int64                 // bytes in order
	ahead   spans                 // ranges that have arrived beyond that
	asked   spans                 // ranges that are being requested
	inOrder bool                  // the remote can't read ranges
	quiet   bool                  // no more ranges may be requested
	state   state
	err     error // why it failed or was ended
}

// lock is the rank of Download.mu; see package mirror for the order.
type lock struct{}

func (lock) Rank() int   { return 6 }
func (lock) Waits() bool { return false }

type state uint8

const (
	arriving state = iota
	whole          // complete, and of one version
	failed
	handedOver // current is the owner's file, and may change
)

// File describes what to download.
type File struct {
	From  string    // the path on the remote
	Known tree.Meta // the version that was last seen
	Temp  string    // base name of the temporary file, unique among downloads
}

// New returns a download that has not begun. If parent ends before the download, the download fails with fs.ErrClosed.
func New(parent context.Context, s *Store, f File, source Source, owner Owner) *Download {
	ctx, cancel := context.WithCancel(parent)
	return &Download{
		store: s, source: source, owner: owner, file: f, parent: parent, ctx: ctx, cancel: cancel, began: s.now(),
		Opened: make(Event), Begun: make(Event), Done: make(Event), Left: make(Event), Closed: make(Event),
		wanted: make(Event), pool: newFilePool(), news: make(chan struct{}), holders: 1,
	}
}

// Context returns a context that ends with the download.
func (d *Download) Context() context.Context { return d.ctx }

// From returns the path on the remote.
func (d *Download) From() string { return d.file.From }

// Run downloads the file, and ends the download.
func (d *Download) Run() {
	src, err := d.fetch()
	if err != nil && !errors.Is(err, ErrNoRoom) {
		d.cancel()
	}
	if err != nil && d.parent.Err() != nil {
		err = fs.ErrClosed
	}
	d.owner.Ended()
	d.change(func() {
		if d.err == nil {
			d.err = err
		}
		if d.state == arriving && d.err != nil {
			d.state = failed
		}
		for _, e := range []Event{d.Opened, d.Begun, d.Done, d.Left} {
			e.happen()
		}
	})
	if src != nil {
		d.pool.close()
		_ = src.Close()
		d.cancel()
	}
	d.Closed.happen()
	d.Release()
}

// Version returns the version that is downloaded. It is unknown until the remote has told it.
func (d *Download) Version() (version tree.Meta, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.version, d.src != nil
}

// Progress counts the bytes of a file: Here have arrived, in order or not; Missing are not in the part that arrived in
// order.
type Progress struct{ Size, Here, Missing int64 }

// Progress returns how far the download has come. It is unknown before Begun.
func (d *Download) Progress() (p Progress, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Progress{d.version.Size, d.arrived + d.ahead.behind(d.arrived), d.version.Size - d.arrived}, d.Begun.Happened()
}

// Arrived returns how many bytes have arrived in order.
func (d *Download) Arrived() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arrived
}

// Want requests the whole file, in order. Without it, only the parts that are read arrive.
func (d *Download) Want() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted.happen()
}

// change runs do, which changes the state, and wakes all waiters.
func (d *Download) change(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	close(d.news)
	d.news = make(chan struct{})
}

// Cancel ends the download.
func (d *Download) Cancel() { d.cancel() }

// Abort ends the download with an error. After ErrNoRoom, readers continue on the remote, so the context does not end.
func (d *Download) Abort(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil && d.state == arriving {
		d.err = err
	}
	if errors.Is(d.err, ErrNoRoom) {
		d.wanted.happen() // the transfer fails with it
		return
	}
	d.cancel()
}

// HandOver makes the readers continue with a local file of the owner. Nothing more arrives.
func (d *Download) HandOver(file *localdir.File) {
	var temp string
	d.change(func() {
		d.state, d.current, d.files = handedOver, file, append(d.files, file)
		if temp = d.temp; d.err == nil {
			d.err = ErrSuperseded
		}
	})
	d.cancel()
	if temp != "" {
		d.store.remove(temp) // it may still be written to, but nobody needs it
	}
}

// Installed records that the temporary file is now the owner's.
func (d *Download) Installed() { d.change(func() { d.state = handedOver }) }

// HandedOver reports whether the readers read a file of the owner.
func (d *Download) HandedOver() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state == handedOver
}

// Current returns the local file that the readers read; nil if there is none yet.
func (d *Download) Current() *localdir.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current
}

// Result returns the outcome of a download that is Done: nil if there may be a copy.
func (d *Download) Result() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Failure returns the error of a download that has failed; nil if it has not.
func (d *Download) Failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == failed {
		return d.err
	}
	return nil
}

// Hold adds a reader. Another reader or Run must hold the download.
func (d *Download) Hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holders++
}

// Release removes a reader. The last one closes the files.
func (d *Download) Release() {
	d.mu.Lock()
	d.holders--
	last := d.holders == 0
	d.mu.Unlock()
	if !last {
		return
	}
	d.pool.close()
	d.cancel()
	for _, f := range d.files {
		_ = f.Close()
	}
}
