// Package sftpservers runs SFTP servers other than OpenSSH's for tests: ProFTPD, dropbear, asyncssh, paramiko, rclone, the
// Server and the RequestServer of package github.com/pkg/sftp, mysecureshell and gesftpserver as OpenSSH's subsystem, and
// a small one based on the npm package ssh2. A Pickup is a program that some servers have beside them.
//
// Each server runs on a loopback port of its own, with keys, configuration and files in a temporary directory, and is
// killed when the test ends. If a server is not installed, the test is skipped, or fails if the environment variable CI
// is "true". The Debian packages are proftpd-core and proftpd-mod-crypto, dropbear-bin with openssh-sftp-server,
// python3-asyncssh, python3-paramiko, rclone, mysecureshell and gesftpserver with openssh-server, and nodejs. Install ssh2
// with npm, in a directory that NODE_PATH names.
package sftpservers
