package localdir

import (
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// spelling chooses between "a" and "/a" for new entries at the root of a MemMapFs, which takes them for two names. A
// direct user of the same MemMapFs only finds the spelling that it uses. So spelling follows the entries that exist
// before the first is added, or else the first name that the program uses.
type spelling struct {
	program atomic.Int32 // unknown, slash or noSlash
	once    sync.Once
	chosen  int32 // set by once
}

const (
	unknown int32 = iota
	slash
	noSlash
)

// note records a name as the program spells it.
func (s *spelling) note(name string) {
	name = filepath.ToSlash(name)
	if strings.Trim(name, "./") == "" {
		return // the root, which has one name
	}
	s.program.CompareAndSwap(unknown, spelled(name))
}

func spelled(name string) int32 {
	if strings.HasPrefix(filepath.ToSlash(name), "/") {
		return slash
	}
	return noSlash
}

// choose returns the spelling for new names at the root of fsys.
func (s *spelling) choose(fsys afero.Fs) int32 {
	s.once.Do(func() {
		if s.chosen = spellingAt(fsys); s.chosen == unknown {
			s.chosen = s.program.Load()
		}
	})
	return s.chosen
}

// spellingAt returns the spelling of all entries at the root, if it is the same.
func spellingAt(fsys afero.Fs) int32 {
	f, err := fsys.Open(rootPath)
	if err != nil {
		return unknown
	}
	defer f.Close()
	fis, err := f.Readdir(-1)
	if err != nil {
		return unknown
	}
	common := unknown
	for _, fi := range fis {
		m, ok := fi.(*mem.FileInfo)
		if !ok || Reserved(fi.Name()) {
			continue
		}
		s := spelled(m.FileData.Name())
		if common != unknown && common != s {
			return unknown
		}
		common = s
	}
	return common
}
