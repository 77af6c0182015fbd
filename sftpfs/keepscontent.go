package sftpfs

// KeepsContent reports whether a file that is opened for writing without os.O_TRUNC is known to keep its content. It
// does on OpenSSH's own server. Other servers may empty the file, and fill it with zeros up to the first byte that is
// written ("rclone serve sftp" does). KeepsContent may connect; if there is no connection, it returns false. It is safe
// for concurrent use.
func (f *Fs) KeepsContent() bool { return f.isOpenSSH() }

// KeepsTimes reports whether a file is known to keep its modification time when it is renamed. It does on OpenSSH's own
// server; gateways to object stores give it a new one. KeepsTimes may connect; if there is no connection, it returns
// false. It is safe for concurrent use.
func (f *Fs) KeepsTimes() bool { return f.isOpenSSH() }

// isOpenSSH reports whether the server is known to be OpenSSH's own, which serves the files of its machine.
func (f *Fs) isOpenSSH() bool {
	s, err := f.session()
	if err != nil {
		return false
	}
	defer s.release()
	return s.isOpenSSH()
}
