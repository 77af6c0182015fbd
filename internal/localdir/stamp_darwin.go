package localdir

import (
	"io/fs"
	"syscall"
)

// inode adds the fields that only the system's own stat structure has.
func (s *Stamp) inode(fi fs.FileInfo) {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.CTime = st.Ctimespec.Nano()
		s.Ino = st.Ino
	}
}
