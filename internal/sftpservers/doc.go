// Package sftpservers runs SFTP servers other than OpenSSH for tests: ProFTPD, dropbear, asyncssh, rclone, the Server
// of package github.com/pkg/sftp, and a small one based on the npm package ssh2.
//
// Each server runs on a loopback port of its own, with keys, configuration and files in a temporary directory, and is
// killed when the test ends. If a server is not installed, the test is skipped, or fails if the environment variable CI
// is "true". The Debian packages are proftpd-core and proftpd-mod-crypto, dropbear-bin with openssh-sftp-server,
// python3-asyncssh, rclone, and nodejs. Install ssh2 with npm, in a directory that NODE_PATH names.
package sftpservers
