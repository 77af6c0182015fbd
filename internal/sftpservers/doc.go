// Package sftpservers runs SFTP servers other than OpenSSH for tests: ProFTPD, dropbear, asyncssh, rclone, the Server of
// package github.com/pkg/sftp, and a small one on the npm package ssh2.
//
// Each is started on a loopback port of its own, with keys, configuration and files in a temporary directory, and is
// killed when the test ends. One that is not installed skips the test, unless the environment variable CI is "true":
// there it fails the test. The Debian packages are proftpd-core and proftpd-mod-crypto, dropbear-bin with
// openssh-sftp-server, python3-asyncssh, rclone, and nodejs; ssh2 is installed with npm, in a directory
// that NODE_PATH names.
package sftpservers
