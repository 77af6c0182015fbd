package aferotest

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// actOpen opens a file in both, and keeps it open if both succeed.
func (p *pair) actOpen(rt *rapid.T) {
	const most = 4
	if len(p.open) == most {
		p.closeOne(p.open[0])
	}
	name, flag := p.name(rt, "name"), p.drawFlag(rt)
	if flag != os.O_RDONLY {
		p.settleReaders()
	}
	h := &handles{name: name}
	var gotErr, wantErr error
	h.subject, gotErr = p.subject.OpenFile(name, flag, 0o600)
	h.oracle, wantErr = p.oracle.OpenFile(name, flag, 0o600)
	p.open = append(p.open, h) // so that it is closed even if the comparison fails
	p.compare(fmt.Sprintf("open %q %s", name, flagName(flag)), nil, gotErr, nil, wantErr)
	if wantErr != nil {
		p.open = p.open[:len(p.open)-1]
		return
	}
	fi, err := h.oracle.Stat()
	h.dir = err == nil && fi.IsDir()
}

func (p *pair) drawFlag(rt *rapid.T) int {
	access := rapid.SampledFrom([]int{os.O_RDWR, os.O_WRONLY, os.O_RDONLY}).Draw(rt, "access")
	if access == os.O_RDONLY {
		return access // the other flags are unspecified with O_RDONLY
	}
	flag := access | rapid.SampledFrom([]int{os.O_CREATE, os.O_CREATE, 0, os.O_CREATE | os.O_EXCL}).Draw(rt, "create")
	flag |= rapid.SampledFrom([]int{0, os.O_TRUNC}).Draw(rt, "trunc")
	flag |= rapid.SampledFrom([]int{0, os.O_APPEND}).Draw(rt, "append")
	if p.incapable(ExclusiveCreate) {
		flag &^= os.O_EXCL
	}
	if p.incapable(AtomicAppend) {
		flag &^= os.O_APPEND
	}
	return flag
}

// actFiles does several things with open files, because a single one rarely shows a fault.
func (p *pair) actFiles(rt *rapid.T) {
	acts := []func(*rapid.T, *handles){
		p.actRead, p.actReadAt, p.actWrite, p.actWrite, p.actWriteAt,
		p.actSeek, p.actTruncate, p.actFstat, p.actSync,
	}
	for range rapid.IntRange(1, 6).Draw(rt, "times") {
		if len(p.open) == 0 {
			rt.Skip("no file is open")
		}
		h := rapid.SampledFrom(p.open).Draw(rt, "file")
		acts[rapid.IntRange(0, len(acts)-1).Draw(rt, "act")](rt, h)
	}
}

func (p *pair) actClose(rt *rapid.T) {
	if len(p.open) == 0 {
		rt.Skip("no file is open")
	}
	p.closeOne(rapid.SampledFrom(p.open).Draw(rt, "file"))
}

// transfer is the result of a read or a write, and the offset after it.
type transfer struct {
	n    int
	data string
	at   int64
}

func (p *pair) actRead(rt *rapid.T, h *handles) {
	n := rapid.IntRange(1, 20).Draw(rt, "n")
	p.doFile(h, fmt.Sprintf("read %d", n), func(f afero.File) (any, error) {
		buf := make([]byte, n)
		// Read may return fewer bytes than there are; ReadFull reads all of them.
		got, err := io.ReadFull(f, buf)
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return p.after(h, f, transfer{n: max(got, 0), data: string(buf[:max(got, 0)])}), err
	})
}

func (p *pair) actReadAt(rt *rapid.T, h *handles) {
	n, off := rapid.IntRange(1, 20).Draw(rt, "n"), rapid.Int64Range(-1, 30).Draw(rt, "offset")
	p.doFile(h, fmt.Sprintf("readat %d from %d", n, off), func(f afero.File) (any, error) {
		buf := make([]byte, n)
		got, err := f.ReadAt(buf, off)
		if got == n {
			err = nil // io.EOF is permitted with the last bytes
		}
		return p.after(h, f, transfer{n: max(got, 0), data: string(buf[:max(got, 0)])}), err
	})
}

func (p *pair) actWrite(rt *rapid.T, h *handles) {
	data := genData.Draw(rt, "data")
	p.doFile(h, fmt.Sprintf("write %d", len(data)), func(f afero.File) (any, error) {
		n, err := f.Write(data)
		return p.after(h, f, transfer{n: n}), err
	})
}

func (p *pair) actWriteAt(rt *rapid.T, h *handles) {
	data, off := genData.Draw(rt, "data"), rapid.Int64Range(-1, 30).Draw(rt, "offset")
	p.doFile(h, fmt.Sprintf("writeat %d to %d", len(data), off), func(f afero.File) (any, error) {
		n, err := f.WriteAt(data, off)
		return p.after(h, f, transfer{n: n}), err
	})
}

// after adds the offset, unless it is a directory.
func (p *pair) after(h *handles, f afero.File, t transfer) transfer {
	if !h.dir {
		t.at, _ = f.Seek(0, io.SeekCurrent)
	}
	return t
}

func (p *pair) actSeek(rt *rapid.T, h *handles) {
	if h.dir {
		return // the offset of a directory has no meaning
	}
	off, whence := rapid.Int64Range(-10, 30).Draw(rt, "offset"), rapid.IntRange(0, 2).Draw(rt, "whence")
	p.doFile(h, fmt.Sprintf("seek %d from %d", off, whence), func(f afero.File) (any, error) {
		return f.Seek(off, whence)
	})
}

func (p *pair) actTruncate(rt *rapid.T, h *handles) {
	if p.incapable(Truncate) {
		return
	}
	size := rapid.Int64Range(-1, 30).Draw(rt, "size")
	if fi, err := h.oracle.Stat(); err == nil && fi.Size() == size {
		return // whether this changes the mtime is unspecified
	}
	p.doFile(h, fmt.Sprintf("truncate to %d", size), func(f afero.File) (any, error) {
		return nil, f.Truncate(size)
	})
}

func (p *pair) actFstat(_ *rapid.T, h *handles) {
	p.doFile(h, "stat", func(f afero.File) (any, error) { return p.info(f.Stat()) })
}

func (p *pair) actSync(_ *rapid.T, h *handles) {
	if p.incapable(Sync) {
		return
	}
	p.doFile(h, "sync", func(f afero.File) (any, error) { return nil, f.Sync() })
}
