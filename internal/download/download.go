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

// Download is one version of a remote file on its way into a temporary file. It is safe for concurrent use. It lasts while
// somebody holds it: who has made it, until [Download.Run] returns, and each reader.
type Download struct {
	store  *Store
	source Source
	owner  Owner
	file   File
	parent context.Context
	ctx    context.Context // ends with parent, and with the download
	cancel context.CancelFunc
	began  time.Time // when the first of its bytes was asked for, or before; only for Run

	// Opened: the remote has opened the file.
	Opened Event
	// Begun: the version is known, and the first bytes are here.
	Begun Event
	// Done: there is a copy, or there will be none.
	Done Event
	// Left: what has come is partial, or is gone.
	Left Event
	// Closed: nothing is open any more on the remote. As all of these it happens at the end in any case.
	Closed Event

	wanted   Event          // all of it is
	requests sync.WaitGroup // ranged ones
	pool     *filePool      // for these

	mu      lockorder.Mutex[lock] // guards what follows; no I/O is done under it
	news    chan struct{}         // closed, and made anew, when any of it changes
	src     afero.File            // nil: not open
	version tree.Meta             // may be read without the lock once Begun has happened
	current *localdir.File        // what its readers read: the temporary file, or the one handed over
	files   []*localdir.File      // all that it has had
	temp    string                // name of the temporary file
	into    *localdir.File        // the temporary file
	end     int64                 // where the version ends; of one whose stated size is 0, known once it is whole
	holders int                   // of files: readers, and Run
	arrived int64                 // bytes in order
	ahead   spans                 // what is here besides
	asked   spans                 // what has been asked for besides
	inOrder bool                  // nothing can be asked for besides
	quiet   bool                  // nothing may be
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
	whole          // and of one version
	failed
	handedOver // current is the owner's own file by now, and may be changed
)

// File says what is to be downloaded.
type File struct {
	From  string    // the path on the remote
	Known tree.Meta // the version that was seen last
	Temp  string    // base name of the temporary file; no other download has it
}

// New returns a download that has not begun. If parent ends before it, its error is fs.ErrClosed.
func New(parent context.Context, s *Store, f File, source Source, owner Owner) *Download {
	ctx, cancel := context.WithCancel(parent)
	return &Download{
		store: s, source: source, owner: owner, file: f, parent: parent, ctx: ctx, cancel: cancel, began: s.now(),
		Opened: make(Event), Begun: make(Event), Done: make(Event), Left: make(Event), Closed: make(Event),
		wanted: make(Event), pool: newFilePool(), news: make(chan struct{}), holders: 1,
	}
}

// Context ends with the download.
func (d *Download) Context() context.Context { return d.ctx }

// From is the path on the remote.
func (d *Download) From() string { return d.file.From }

// Run brings the file, and ends the download.
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

// Version is what is downloaded. It is not known before the remote has told.
func (d *Download) Version() (version tree.Meta, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.version, d.src != nil
}

// Progress says how many bytes of a file are here, wherever, and how many are missing behind what is here in order.
type Progress struct{ Size, Here, Missing int64 }

// Progress is how far it has come. It is not known before it has begun.
func (d *Download) Progress() (p Progress, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Progress{d.version.Size, d.arrived + d.ahead.behind(d.arrived), d.version.Size - d.arrived}, d.Begun.Happened()
}

// Arrived is how many bytes are here, in order.
func (d *Download) Arrived() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arrived
}

// Want has all of the file brought, in order. Otherwise it comes as it is read.
func (d *Download) Want() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted.happen()
}

// change changes the state, and tells those who wait.
func (d *Download) change(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	close(d.news)
	d.news = make(chan struct{})
}

// Cancel ends the download.
func (d *Download) Cancel() { d.cancel() }

// Abort ends the download with an error.
func (d *Download) Abort(err error) {
	d.mu.Lock()
	if d.err == nil && d.state == arriving {
		d.err = err
	}
	d.mu.Unlock()
	d.cancel()
}

// HandOver has the readers read a local file of the owner's from now on. Nothing more arrives.
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
		d.store.remove(temp) // it may be written still, for nobody
	}
}

// Installed says that the temporary file is the owner's own by now.
func (d *Download) Installed() { d.change(func() { d.state = handedOver }) }

// HandedOver says whether the readers read a file of the owner's.
func (d *Download) HandedOver() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state == handedOver
}

// Current is the local file that the readers read; nil, if there is none yet.
func (d *Download) Current() *localdir.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current
}

// Result is what the download came to: nil, if there may be a copy now. It is done.
func (d *Download) Result() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Failure is the error of a download that has failed.
func (d *Download) Failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == failed {
		return d.err
	}
	return nil
}

// Hold adds a reader, while another one or Run has the download.
func (d *Download) Hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holders++
}

// Release takes a reader away.
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
