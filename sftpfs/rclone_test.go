package sftpfs_test

import (
	"maps"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

const (
	noneInRclone = "rclone has none, or ignores it"
	inPlace      = "all of them write in place"
)

var rcloneLacks = capabilities{
	aferotest.Links: noneInRclone, aferotest.Chmod: noneInRclone,
	aferotest.CreateMode: noneInRclone, aferotest.Sync: noSync[aferotest.Sync],
	aferotest.ExclusiveCreate: "the server does not heed O_EXCL",
}

// rclone is 1.60, with a cache for what is written. It is of use for whole new files alone.
var rclone = declared(map[string]string{
	"the server empties a file that is opened for writing, makes a missing one, and reads none through such a handle": `
		open/rdonly+create/missing open/rdonly+create/file open/rdonly+create+append/missing
		open/rdonly+create+append/file open/wronly/missing open/wronly/file open/wronly+append/missing
		open/wronly+append/file open/wronly+trunc/missing open/wronly+trunc+append/missing open/wronly+create/file
		open/wronly+create+append/file open/rdwr/missing open/rdwr/file open/rdwr+append/missing
		open/rdwr+append/file open/rdwr+trunc/missing open/rdwr+trunc/file open/rdwr+trunc+append/missing
		open/rdwr+trunc+append/file open/rdwr+create/missing open/rdwr+create/file open/rdwr+create+append/missing
		open/rdwr+create+append/file open/rdwr+create+trunc/missing open/rdwr+create+trunc/file
		open/rdwr+create+trunc+append/missing open/rdwr+create+trunc+append/file create/new
		create/recreate-after-remove read/sees-growth-after-eof readat/write-only-handle
		readat/write-only-append-handle write/overwrites-in-the-middle write/across-the-end
		write/sparse-after-truncate-reads-zeros write/zero-bytes write/zero-bytes-past-the-end writeat/middle
		writeat/sparse writeat/negative writeat/append-handle-refuses writeat/zero-bytes write/large seek/start+0
		seek/start+3 seek/start+10 seek/start+100 seek/start-1 seek/current+0 seek/current+3 seek/current-4
		seek/current+100 seek/current-5 seek/end+0 seek/end-3 seek/end-10 seek/end+5 seek/end-11
		seek/no-such-whence+0 seek/end-sees-growth seek/past-the-end-does-not-grow seek/write-only-handle
		append/ignores-the-offset append/offset-after-write-is-the-end append/reads-from-the-start
		append/sees-other-writers append/after-truncate-by-another append/after-own-truncate append/two-sessions
		readfrom/appends
		truncate/shrink truncate/grow-reads-zeros truncate/shrink-and-grow-reads-zeros truncate/to-the-same-size
		truncate/negative truncate/leaves-the-offset truncate/large-and-sparse handles/an-overwrite-is-seen-at-once
		closed/file/read closed/file/readat closed/file/write closed/file/writeat closed/file/writestring
		closed/file/seek closed/file/truncate closed/file/sync closed/file/stat closed/file/readdir
		closed/file/readdirnames closed/file/close rename/open-for-reading rename/over-an-open-file
		rename/open-and-truncate rename/stat-of-the-handle rename/append-handle remove/open-for-reading
		remove/open-for-writing remove/open-and-a-new-file-of-that-name remove/open-stat-of-the-handle
		remove/open-twice-close-one remove/parent-of-an-open-file removeall/open-file-inside
		stat/size-after-each-change modtime/opening-for-writing-is-no-change
		modtime/directory-changes-with-its-entries error/openfile/relative error/openfile/absolute
		error/openfile/dots parallel/appends-lose-nothing parallel/replace-is-never-seen-half`,
	"the server takes a directory that is there for a new one": `
		mkdir/existing-directory mkdir/root parallel/mkdir-has-one-winner name/empty name/dot-is-no-new-name
		error/exist-is-no-other`,
	"the server answers OK to SETSTAT, whatever is there": `
		chmod/missing chown/missing error/chmod/relative error/chmod/absolute error/chmod/dots error/chmod/deep
		error/chown/relative error/chown/absolute error/chown/dots error/chown/deep`,
	"the server writes control characters and long names in its own way": `
		name/file/newline name/directory/newline name/file/tab-and-control name/directory/tab-and-control
		name/too-long`,
})

// rcloneStreams is rclone without such a cache.
var rcloneStreams = func() map[string]string {
	cases := maps.Clone(rclone)
	maps.Copy(cases, declared(map[string]string{
		"a file is not there before it is closed, and written once, from its start": `
			append/with-trunc copy/from-the-offset-to-the-offset copy/limited create/sync-flag create/truncates
			create/visible-before-close handles/a-write-is-seen-at-once
			handles/last-write-wins-whatever-the-order-of-close handles/one-closed-one-open
			handles/open-with-trunc-empties-for-others handles/stat-sees-what-others-write
			handles/two-writers-of-different-parts open/wronly+create+append/missing
			open/wronly+create+trunc+append/file open/wronly+create+trunc+append/missing open/wronly+create+trunc/file
			open/wronly+create+trunc/missing open/wronly+create/missing open/wronly+trunc+append/file
			open/wronly+trunc/file readfrom/moves-the-offset rename/directory-of-an-open-file
			rename/open-and-a-new-file-of-the-old-name rename/open-for-writing
			truncate/reader-in-the-middle-sees-eof truncate/to-zero write/advances-the-offset
			write/keeps-nothing-of-the-buffer write/large-backwards write/sparse write/string
			writeat/leaves-the-offset`,
	}))
	for _, passes := range []string{
		"truncate/negative", "truncate/to-the-same-size", "write/zero-bytes", "write/zero-bytes-past-the-end",
		"writeat/append-handle-refuses", "writeat/negative", "writeat/zero-bytes",
	} {
		delete(cases, passes)
	}
	return cases
}()
