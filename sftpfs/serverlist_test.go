package sftpfs_test

import (
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

var servers = []tested{
	{
		name: "OpenSSH internal-sftp", title: "OpenSSH 9.2 `internal-sftp`",
		start: openSSH(opensshtest.Options{}), limits: anyServer,
		advice: "Nothing to set.",
	},
	{
		name: "OpenSSH, chroot and ForceCommand", title: "– with `ChrootDirectory` and `ForceCommand`",
		full: true, start: inChroot, limits: anyServer,
		advice: "`Config.Root` is a path inside the chroot.",
	},
	{
		name: "OpenSSH, MaxSessions 1", title: "– with `MaxSessions 1`", full: true, limits: anyServer,
		start:  openSSHPool(opensshtest.Options{Config: []string{"MaxSessions 1"}}),
		advice: "A large file is not spread over several channels: at most 2 MiB per round trip.",
	},
	{
		name: "OpenSSH sftp-server", title: "OpenSSH 9.2 `sftp-server`", full: true,
		start: openSSH(opensshtest.Options{Subsystem: sftpServer}), limits: anyServer,
		advice: "Nothing to set.",
	},
	{
		name: "OpenSSH, umask 0007", title: "– with `-u 0007`", full: true, limits: anyServer,
		start:     openSSHPool(opensshtest.Options{Subsystem: sftpServer, SFTPServerArgs: []string{"-u", "0007"}}),
		histories: capabilities{aferotest.CreateMode: "its umask removes more than that of the process"},
		advice:    "New files are 0660, and 0640 if 0644 is asked for. `Chmod` sets any mode.",
	},
	{
		name: "OpenSSH, extensions off", title: "– with `-P` and all extensions", fullHistories: true,
		start:  openSSH(opensshtest.Options{SFTPServerArgs: []string{"-P", strings.Join(extensions, ",")}}),
		limits: anyServer.and(capabilities{aferotest.AtomicReplace: refused, aferotest.Sync: refused}, nil),
		advice: "`Config.AllowNonAtomicReplace` lets `Rename` replace a file in two steps.",
	},
	{
		name: "OpenSSH, setstat refused", title: "– with `-P setstat`", full: true,
		start:  openSSH(opensshtest.Options{SFTPServerArgs: []string{"-P", "setstat"}}),
		limits: anyServer.and(noAttributes, nil),
		advice: "Mode, owner and times are what the server gives to a file.",
	},
	{
		name: "OpenSSH, all attributes refused", title: "– with `-P setstat,fsetstat,lsetstat`", full: true,
		start:  openSSHPool(opensshtest.Options{SFTPServerArgs: []string{"-P", "setstat,fsetstat,lsetstat"}}),
		limits: anyServer.and(noAttributes, nil).and(capabilities{aferotest.Truncate: refused}, nil),
		advice: "The same, and `File.Truncate` fails. Open with `O_TRUNC` instead.",
	},
	{
		name: "OpenSSH, bare", title: "– with `-P` and all of these, `symlink` and `readlink`", full: true,
		start: openSSHPool(opensshtest.Options{SFTPServerArgs: []string{
			"-P", "setstat,fsetstat,symlink,readlink," + strings.Join(extensions, ","),
		}}),
		limits: anyServer.and(noAttributes, nil).and(capabilities{
			aferotest.Truncate: refused, aferotest.AtomicReplace: refused, aferotest.Sync: refused, aferotest.Links: refused,
		}, nil),
		advice: "As above. This is what a gateway to an object store often has.",
	},
	{
		name: "dropbear", title: "dropbear 2022.83 with OpenSSH's `sftp-server`", full: true,
		start: foreign("dropbear"), limits: anyServer,
		advice: "Nothing to set.",
	},
	{
		name: "gesftpserver", title: "gesftpserver 2, run by OpenSSH", full: true,
		start:  foreign("gesftpserver"),
		limits: anyServer.but(loops...).and(nil, gesftpserver),
		histories: capabilities{
			aferotest.Sync:         noDirHandles,
			aferotest.OpenRemoved:  noRemovedDir,
			aferotest.AtomicAppend: "the server reads a file that appends from where it was written or read last, whatever the offset",
		},
		advice: "A file that is open with `O_RDWR` and `O_APPEND` can't be read at will. `O_EXCL` follows a symbolic link whose target is missing. Directories can't be synced.",
	},
	{
		name: "mysecureshell", title: "mysecureshell 2.0, run by OpenSSH", full: true,
		start: foreign("mysecureshell"), limits: anyServer.but(string(aferotest.NotDirErrors)).and(mySecureShellLacks, mySecureShell),
		histories: capabilities{
			aferotest.CreateMode: "DefaultRights removes more than the umask of the process",
			aferotest.Chmod:      "HideNoAccess hides what may not be read",
			aferotest.Chtimes:    "the server answers OK also for a path that leads through a file",
		},
		advice: "Set `LimitConnectionByUser` and `LimitConnectionByIP` to 2 or more. Symbolic links need absolute targets: the server makes " +
			"relative ones absolute, from its own directory, so those are refused.",
	},
	{
		name: "ProFTPD", title: "ProFTPD 1.3.8 `mod_sftp`", full: true, start: foreign("ProFTPD"),
		limits: anyServer.but(loops...).and(nil, proFTPD),
		histories: capabilities{
			aferotest.LiveHandles: "a handle does not see what another one writes behind the end that it has seen",
			aferotest.OpenRenamed: "what a file has grown by is read by its name",
			aferotest.OpenRemoved: "what a file has grown by is read by its name, and a directory that is removed is not there",
			aferotest.Sync:        noDirHandles,
		},
		advice: "`ReadlinkIfPossible` always returns an absolute path, and `Rename` moves what a symbolic link leads to.",
	},
	{
		name: "asyncssh", title: "asyncssh 2.10", full: true, start: foreign("asyncssh"),
		limits: anyServer.but(loops...).and(nil, declared(map[string]string{
			"the server opens what it makes for writing alone": `
				open/rdonly+create/missing open/rdonly+create+append/missing
				open/rdonly+create+excl/missing open/rdonly+create+excl+append/missing`,
			noDirHandles: "dir/sync",
		})),
		histories: capabilities{
			aferotest.OpenRemoved: noRemovedDir,
			aferotest.Sync:        noDirHandles,
		},
		advice: "A new file can't be read if it was opened with `O_RDONLY` and `O_CREATE`.",
	},
	{
		name: "paramiko", title: "paramiko 2.12, a server without `chattr`", full: true, start: foreign("paramiko"),
		limits:    anyServer.but(loops...).and(paramikoLacks, paramiko),
		histories: capabilities{aferotest.LiveHandles: buffered},
		advice: "Mode, owner and times are what the server gives to a file, and `File.Truncate` fails. Only names that are " +
			"UTF-8.",
	},
	{
		name: "paramiko minimal", title: "– without `stat` of handles and symbolic links", full: true,
		start: foreign("paramiko minimal"),
		limits: anyServer.and(paramikoLacks, paramiko).and(capabilities{
			aferotest.Links: "not implemented", aferotest.OpenRenamed: namesForHandles, aferotest.OpenRemoved: namesForHandles,
		}, nil),
		histories: capabilities{aferotest.LiveHandles: buffered},
		advice:    "The same. Keep a file in place while it is open.",
	},
	{
		name: "node ssh2", title: "node ssh2 1.17", full: true, start: foreign("node ssh2"),
		limits: anyServer.and(capabilities{
			aferotest.AtomicReplace: "ssh2 offers no extensions",
			aferotest.Sync:          "ssh2 offers no extensions",
		}, declared(map[string]string{
			"ssh2 reads and writes names as UTF-8": "name/file/not-utf-8 name/directory/not-utf-8",
		})),
		advice: "`Config.AllowNonAtomicReplace` lets `Rename` replace a file in two steps. Only names that are UTF-8.",
	},
	{
		name: "pkg/sftp Server", title: "pkg/sftp 1.13 `Server`", start: foreign("pkg/sftp Server"),
		limits: anyServer.but(loops...).and(capabilities{
			aferotest.Sync: noSync[aferotest.Sync], aferotest.AtomicAppend: offsets,
		}, nil),
		advice: "One writer at a time appends to a file.",
	},
	{
		name: "pkg/sftp RequestServer", title: "pkg/sftp 1.13 `RequestServer`, as in SFTPGo", fullHistories: true,
		start: foreign("pkg/sftp RequestServer"),
		limits: anyServer.but(loops...).and(capabilities{
			aferotest.Sync: noSync[aferotest.Sync], aferotest.AtomicAppend: offsets,
			aferotest.OpenRenamed: namesForHandles, aferotest.OpenRemoved: namesForHandles,
		}, declared(map[string]string{sizeOfTheNew: "parallel/replace-is-never-seen-half"})),
		advice: "One writer at a time appends to a file. Keep a file in place while it is open: attributes of an open file are " +
			"those of its name.",
	},
	{
		name: "rclone", title: "rclone 1.60 `serve sftp --vfs-cache-mode full`", full: true, start: foreign("rclone"),
		limits: anyServer.and(rcloneLacks, rclone), noHistories: inPlace,
		advice: "`--vfs-write-back 0s`, else what was closed is lost when it is moved within 5 s. Only whole new files: opening " +
			"for writing truncates. No modes, owners, symbolic links, `O_EXCL`.",
	},
	{
		name: "rclone writes", title: "– with `writes`", full: true, start: foreign("rclone writes"),
		limits: anyServer.and(rcloneLacks, rclone), noHistories: inPlace,
		advice: "The same.",
	},
	{
		name: "rclone minimal", title: "– with `minimal`", full: true, start: foreign("rclone minimal"),
		limits: anyServer.and(rcloneLacks, rcloneStreams), noHistories: inPlace,
		advice: "Better use `full`. A file exists only after `Close`, and has to be written once, from its start.",
	},
	{
		name: "rclone off", title: "– with `off`, its default", full: true, start: foreign("rclone off"),
		limits: anyServer.and(rcloneLacks, rcloneStreams), noHistories: inPlace,
		advice: "The same.",
	},
	{
		name: "sftptest", title: "package `sftptest`", start: embedded(nil), limits: anyServer.and(noSync, nil),
		advice: "For tests.",
	},
	{
		// It is held to the rules, too, as far as one can.
		name:  "sftptest with a MemMapFs",
		start: memMapFs,
		limits: anyServer.and(capabilities{
			aferotest.Links: "MemMapFs has no links",
			aferotest.Sync:  noSync[aferotest.Sync],
		}, declared(map[string]string{
			"MemMapFs has times of its own": `
				modtime/opening-for-writing-is-no-change modtime/chtimes-after-the-last-write
				modtime/directory-changes-with-its-entries`,
		})),
		noHistories: "MemMapFs differs from package os",
	},
}
