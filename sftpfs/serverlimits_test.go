package sftpfs_test

import (
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

type capabilities = map[aferotest.Capability]string

const (
	refused         = "the server is told to refuse it"
	noDirHandles    = "the server has no handles of directories but for listing"
	noRemovedDir    = "there are no handles of directories, so one that is removed is not there"
	offsets         = "the server writes at the offset it is told"
	namesForHandles = "the server looks at the name by which a file was opened, in place of its handle"
	sizeOfTheNew    = "of a file that is replaced while it is open, the server states the size of the new one"
	noChattr        = "the server does not implement chattr"
	buffered        = "a handle keeps what it has read ahead"
)

var extensions = []string{"posix-rename", "fsync", "limits", "hardlink", "statvfs", "fstatvfs", "lsetstat"}

var noAttributes = capabilities{
	aferotest.Chmod: refused, aferotest.Chown: refused, aferotest.Chtimes: refused, aferotest.CreateMode: refused,
}

// loops are cases that only some servers have no words for.
var loops = []string{"link/to-itself", "link/loop-of-two", "link/loop-through-a-directory"}

// declared takes cases by reason.
func declared(cases map[string]string) map[string]string {
	reasons := make(map[string]string)
	for reason, names := range cases {
		for _, name := range strings.Fields(names) {
			reasons[name] = reason
		}
	}
	return reasons
}

var proFTPD = declared(map[string]string{
	"the server does not set a mode of nothing": "chmod/none-at-all",
	noDirHandles: "dir/sync",
	"a handle does not see what another one writes behind the end that it has seen": "handles/a-write-is-seen-at-once",
	"the server answers READLINK with an absolute path, whatever is in the link": `
		link/relative link/to-the-parent link/target-is-kept-as-it-is link/dangling link/target-removed link/to-itself
		link/existing-name link/empty-target link/write-through link/tree link/removeall-through-a-link
		link/rename-dangling link/rename-target-away`,
	"the server resolves .. before links": "link/dots-follow-the-links-of-a-target",
	"the server renames what a link leads to": `
		link/rename link/rename-into-a-directory-keeps-the-target link/rename-over-a-file link/rename-file-over-a-link
		link/rename-directory-over-a-link-to-a-directory`,
	"the server creates nothing through a link": `
		link/create-through-dangling link/create-through-dangling-in-another-directory
		link/create-through-dangling-without-parent`,
})

var gesftpserver = declared(map[string]string{
	noDirHandles: "dir/sync",
	"the server follows a symbolic link also with O_EXCL": "link/exclusive-create-is-not-followed",
})

var mySecureShellLacks = capabilities{
	aferotest.Links:        "the server makes a relative target absolute, from its own directory",
	aferotest.Sync:         noSync[aferotest.Sync],
	aferotest.AtomicAppend: offsets,
	aferotest.OpenRenamed:  namesForHandles,
	aferotest.OpenRemoved:  namesForHandles,
}

var mySecureShell = declared(map[string]string{
	"HideNoAccess hides what may not be read": "chmod/none-at-all",
	sizeOfTheNew: "parallel/replace-is-never-seen-half",
})

var paramikoLacks = capabilities{
	aferotest.Chmod: noChattr, aferotest.Chown: noChattr, aferotest.Chtimes: noChattr, aferotest.CreateMode: noChattr,
	aferotest.Truncate:      noChattr,
	aferotest.AtomicReplace: "the server does not announce posix-rename@openssh.com",
	aferotest.Sync:          noSync[aferotest.Sync],
}

var paramiko = declared(map[string]string{
	"the server refuses to change attributes before it looks at the name": `
		chmod/missing chown/missing chtimes/missing
		error/chmod/relative error/chmod/absolute error/chmod/dots error/chmod/deep
		error/chown/relative error/chown/absolute error/chown/dots error/chown/deep
		error/chtimes/relative error/chtimes/absolute error/chtimes/dots error/chtimes/deep`,
	buffered: "handles/an-overwrite-is-seen-at-once",
	"the server reads and writes names as UTF-8": "name/file/not-utf-8 name/directory/not-utf-8",
})
