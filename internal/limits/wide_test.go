package limits

import (
	"fmt"
	"sync"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// wide has a server list n files that it does not have, a hundred in each answer.
func wide(n int64) sftptest.Hook {
	var mu sync.Mutex // guards listed
	listed := map[string]int64{}
	return func(r *sftptest.Request) sftptest.Answer {
		if r.Kind != sftptest.ReadDir {
			return r.Next()
		}
		mu.Lock()
		at := listed[r.Handle]
		listed[r.Handle] = at + 100
		mu.Unlock()
		if at >= n {
			return sftptest.Refuse(sftptest.StatusEOF, "")
		}
		size, mode := uint64(1), uint32(0o100644)
		var a sftptest.Answer
		for i := range min(n-at, 100) {
			a.Entries = append(a.Entries, sftptest.Entry{Name: fmt.Sprintf("file-%012d", at+i),
				Attrs: sftptest.Attributes{Size: &size, Mode: &mode, Times: &sftptest.Times{}}})
		}
		return a
	}
}
