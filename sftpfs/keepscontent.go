package sftpfs

// KeepsContent reports whether a file that is opened for writing without os.O_TRUNC is known to keep its content. It
// does on OpenSSH's own server. The SSH version alone does not prove that, because an sshd may run another server as
// its subsystem; but a server that offers to sync files serves real ones. Other servers may empty the file, and fill it
// with zeros up to the first byte that is written ("rclone serve sftp" does). KeepsContent may connect; if there is no
// connection, it returns false. It is safe for concurrent use.
func (f *Fs) KeepsContent() bool {
	s, err := f.session()
	if err != nil {
		return false
	}
	defer s.release()
	return s.openSSH && s.hasFiles()
}
