//go:build unix

package syncfs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"

	"github.com/spf13/afero"
)

// A killOp is one call of a child process, as it is announced on the pipe: it can be made on any Fs.
type killOp struct {
	Kind    string
	Name    string `json:",omitempty"`
	NewName string `json:",omitempty"`
	Slot    int    `json:",omitempty"` // of a handle
	Flag    int    `json:",omitempty"`
	Off     int64  `json:",omitempty"`
	Size    int    `json:",omitempty"`
	Seed    uint64 `json:",omitempty"` // of the bytes that are written
	Mode    uint32 `json:",omitempty"`
}

func (op killOp) String() string {
	return fmt.Sprintf("%s %q %q slot %d flag %#x off %d size %d mode %o", op.Kind, op.Name, op.NewName, op.Slot, op.Flag,
		op.Off, op.Size, op.Mode)
}

// bytes are those that the call writes.
func (op killOp) bytes() []byte {
	b := make([]byte, op.Size)
	r := rand.New(rand.NewPCG(op.Seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// user is what an Fs offers besides the calls of afero.Fs, and what stands for it in the model.
type killUser interface {
	byHand(name string, content []byte) error // a file appears in the local directory
	add(name string) error
	background(op killOp) error // changes nothing that the program sees
}

// killSlots is the number of handles that a child may have open.
const killSlots = 4

// killCaller makes calls on an Fs.
type killCaller struct {
	fs    afero.Fs
	user  killUser
	slots [killSlots]afero.File
}

// call makes one call and returns what it read, as a hash.
func (c *killCaller) call(op killOp) (read string, err error) {
	switch op.Kind {
	case "open":
		if c.slots[op.Slot] != nil {
			return "", fs.ErrExist
		}
		f, err := c.fs.OpenFile(op.Name, op.Flag, fs.FileMode(op.Mode))
		if err == nil {
			c.slots[op.Slot] = f
		}
		return "", err
	case "write", "truncate", "sync", "close":
		f := c.slots[op.Slot]
		if f == nil {
			return "", fs.ErrClosed
		}
		return "", c.onHandle(f, op)
	case "read":
		return readHash(c.fs, op.Name)
	case "rename":
		return "", c.fs.Rename(op.Name, op.NewName)
	case "remove":
		return "", c.fs.Remove(op.Name)
	case "removeall":
		return "", c.fs.RemoveAll(op.Name)
	case "mkdir":
		return "", c.fs.Mkdir(op.Name, fs.FileMode(op.Mode))
	case "mkdirall":
		return "", c.fs.MkdirAll(op.Name, fs.FileMode(op.Mode))
	case "chmod":
		return "", c.fs.Chmod(op.Name, fs.FileMode(op.Mode))
	case "put":
		return "", c.user.byHand(op.Name, op.bytes())
	case "add":
		return "", c.user.add(op.Name)
	case "push", "fetch":
		return "", c.user.background(op)
	}
	return "", fmt.Errorf("unknown call %q", op.Kind)
}

func (c *killCaller) onHandle(f afero.File, op killOp) error {
	switch op.Kind {
	case "write":
		_, err := f.WriteAt(op.bytes(), op.Off)
		return err
	case "truncate":
		return f.Truncate(op.Off)
	case "sync":
		return f.Sync()
	}
	c.slots[op.Slot] = nil
	return f.Close()
}

func (c *killCaller) closeAll() {
	for i, f := range c.slots {
		if f != nil {
			_ = f.Close()
			c.slots[i] = nil
		}
	}
}

func readHash(fsys afero.Fs, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// killNames draws names and calls. Few names, so that the calls meet each other.
type killNames struct {
	*rand.Rand
	extra []string // more names that there may be
	hand  int      // files put by hand so far
	tag   string   // makes their names unique
}

var (
	killDirs  = []string{"", "d1", "d2", "d1/s"}
	killFiles = []string{"a", "b", "c"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (r *killNames) file() string {
	if len(r.extra) > 0 && r.IntN(3) == 0 {
		return pick(r.Rand, r.extra)
	}
	return path.Join(pick(r.Rand, killDirs), pick(r.Rand, killFiles))
}

func (r *killNames) any() string {
	if r.IntN(3) == 0 {
		return pick(r.Rand, killDirs[1:])
	}
	return r.file()
}

// draw returns the next calls; isDir says whether a directory is there in the local directory.
func (r *killNames) draw(isDir func(string) bool) []killOp {
	slot := r.IntN(killSlots)
	switch n := r.IntN(100); {
	case n < 12: // a whole file at once
		return []killOp{
			{Kind: "close", Slot: slot},
			{Kind: "open", Slot: slot, Name: r.file(), Flag: os.O_RDWR | os.O_CREATE | os.O_TRUNC, Mode: r.mode()},
			r.write(slot), r.write(slot),
			{Kind: "close", Slot: slot},
		}
	case n < 22:
		flags := []int{os.O_RDWR, os.O_WRONLY | os.O_CREATE, os.O_RDWR | os.O_CREATE | os.O_EXCL, os.O_WRONLY | os.O_TRUNC}
		return []killOp{{Kind: "open", Slot: slot, Name: r.file(), Flag: pick(r.Rand, flags), Mode: r.mode()}}
	case n < 36:
		return []killOp{r.write(slot)}
	case n < 38:
		return []killOp{{Kind: "truncate", Slot: slot, Off: int64(r.IntN(2000))}}
	case n < 42:
		return []killOp{{Kind: "sync", Slot: slot}}
	case n < 50:
		return []killOp{{Kind: "close", Slot: slot}}
	case n < 58:
		return []killOp{{Kind: "rename", Name: r.any(), NewName: r.any()}}
	case n < 62:
		return []killOp{{Kind: "remove", Name: r.any()}}
	case n < 64:
		return []killOp{{Kind: "removeall", Name: r.any()}}
	case n < 70:
		return []killOp{{Kind: "mkdir", Name: pick(r.Rand, killDirs[1:]), Mode: 0o755}}
	case n < 73:
		return []killOp{{Kind: "mkdirall", Name: "d1/s", Mode: 0o750}}
	case n < 76:
		return []killOp{{Kind: "chmod", Name: r.any(), Mode: r.mode()}}
	case n < 82:
		return []killOp{{Kind: "read", Name: r.file()}}
	case n < 86:
		return r.byHand(isDir)
	case n < 90:
		return []killOp{{Kind: "fetch", Name: r.file()}}
	default:
		return []killOp{{Kind: "push"}}
	}
}

func (r *killNames) mode() uint32 { return 0o700 | r.Uint32()&0o77 }

func (r *killNames) write(slot int) killOp {
	size := r.IntN(3000)
	if r.IntN(8) == 0 {
		size = r.IntN(1 << 20)
	}
	return killOp{Kind: "write", Slot: slot, Off: int64(r.IntN(2000)), Size: size, Seed: r.Uint64()}
}

func (r *killNames) byHand(isDir func(string) bool) []killOp {
	dir := pick(r.Rand, killDirs)
	if !isDir(dir) {
		dir = ""
	}
	r.hand++
	name := path.Join(dir, fmt.Sprintf("hand-%s-%d", r.tag, r.hand))
	r.extra = append(r.extra, name)
	ops := []killOp{{Kind: "put", Name: name, Size: r.IntN(5000), Seed: r.Uint64()}}
	if r.IntN(2) == 0 {
		ops = append(ops, killOp{Kind: "add", Name: name})
	}
	return ops
}
