package memremote

import (
	"runtime"
	"sync"
	"weak"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// all holds the Fs of every MemMapFs in use, so that two users of one share an Fs and do not race.
var all = struct {
	sync.Mutex
	byMemory map[weak.Pointer[afero.MemMapFs]]weak.Pointer[Fs]
}{byMemory: map[weak.Pointer[afero.MemMapFs]]weak.Pointer[Fs]{}}

// Of returns the Fs of a MemMapFs.
func Of(memory *afero.MemMapFs) *Fs {
	key := weak.Make(memory)
	all.Lock()
	defer all.Unlock()
	if m := all.byMemory[key].Value(); m != nil {
		return m
	}
	m := &Fs{memory: memory, dir: localdir.Memory(memory)}
	all.byMemory[key] = weak.Make(m)
	runtime.AddCleanup(m, release, key)
	return m
}

// release removes the Fs of a MemMapFs, unless there is a new one already.
func release(key weak.Pointer[afero.MemMapFs]) {
	all.Lock()
	defer all.Unlock()
	if all.byMemory[key].Value() == nil {
		delete(all.byMemory, key)
	}
}
