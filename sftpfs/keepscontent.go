package sftpfs

// KeepsContent tells whether a file that is opened for writing without os.O_TRUNC is known to keep its content. It is on
// OpenSSH's own server, which the version of SSH does not prove: an sshd may run another one as its subsystem. Those that
// offer to sync a file serve real ones. Other servers may empty the file, and fill it with zeros up to the first byte that
// is written ("rclone serve sftp" does). It may connect; without a connection the answer is false. Safe for concurrent use.
func (f *Fs) KeepsContent() bool {
	s, err := f.session()
	if err != nil {
		return false
	}
	defer s.release()
	return s.openSSH && s.hasFiles()
}
