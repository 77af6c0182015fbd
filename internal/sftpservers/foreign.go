package sftpservers

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// made is what each server needs.
type made struct {
	dir, root    string
	host, client key
	port         int
}

func prepare(t testing.TB) made {
	t.Helper()
	m := made{dir: tempDir(t), port: freePort(t)}
	m.root = filepath.Join(m.dir, "root")
	require.NoError(t, os.Mkdir(m.root, 0o755))
	m.host, m.client = newKey(t, m.dir, "host"), newKey(t, m.dir, "client")
	return m
}

func (m made) server(addr string) Server {
	return Server{Addr: addr, User: "test", Key: m.client.signer, HostKey: m.host.signer.PublicKey(), Root: m.root}
}

const password = "secret"

func proFTPD(t testing.TB) Server {
	program, openssl := find(t, "proftpd", "/usr/sbin/proftpd"), find(t, "openssl")
	m := prepare(t)
	hash, err := exec.Command(openssl, "passwd", "-6", password).Output()
	require.NoError(t, err)
	users := write(t, m.dir, "users",
		fmt.Sprintf("test:%s:%d:%d::%s:/bin/sh\n", strings.TrimSpace(string(hash)), os.Getuid(), os.Getgid(), m.root))
	config := write(t, m.dir, "proftpd.conf", fmt.Sprintf(`
ModulePath /usr/lib/proftpd
LoadModule mod_sftp.c
ServerType standalone
DefaultAddress 127.0.0.1
UseIPv6 off
UseReverseDNS off
Port %d
User root
Group root
RootLogin on
RequireValidShell off
AuthOrder mod_auth_file.c
AuthUserFile %s
AllowOverwrite on
AllowStoreRestart on
WtmpLog off
TransferLog none
Umask 022
PidFile %[3]s/pid
ScoreboardFile %[3]s/score
SystemLog %[3]s/log
MaxInstances none
DelayEngine off
SFTPEngine on
SFTPAuthMethods password
SFTPHostKey %[4]s
`, m.port, users, m.dir, m.host.file))
	s := m.server(run(t, m.port, program, "--nodaemon", "--config", config))
	s.Password = password
	return s
}

// dropbear reads keys only from the home directory, so it gets another one, in a mount namespace of its own.
func dropbear(t testing.TB) Server {
	program, convert, unshare := find(t, "dropbear", "/usr/sbin/dropbear"), find(t, "dropbearconvert"), find(t, "unshare")
	find(t, "/usr/lib/sftp-server")
	m := prepare(t)
	current, err := user.Current()
	require.NoError(t, err)
	home := filepath.Join(m.dir, "home")
	require.NoError(t, os.MkdirAll(filepath.Join(home, ".ssh"), 0o700))
	write(t, filepath.Join(home, ".ssh"), "authorized_keys", m.client.authorized())
	host := filepath.Join(m.dir, "host.dropbear")
	out, err := exec.Command(convert, "openssh", "dropbear", m.host.file, host).CombinedOutput()
	require.NoError(t, err, string(out))
	s := m.server(run(t, m.port, unshare, "--mount", "sh", "-c", `mount --bind "$1" "$2" && shift 2 && exec "$@"`, "sh",
		home, current.HomeDir, program, "-F", "-E", "-s", "-r", host, "-p", fmt.Sprintf("127.0.0.1:%d", m.port),
		"-P", filepath.Join(m.dir, "pid")))
	s.User = current.Username
	return s
}

const asyncSSHProgram = `
import asyncio, sys, warnings
warnings.simplefilter("ignore")
import asyncssh
async def main():
    await asyncssh.listen("127.0.0.1", int(sys.argv[1]), server_host_keys=[sys.argv[2]],
                          authorized_client_keys=sys.argv[3], sftp_factory=True)
    await asyncio.Event().wait()
asyncio.run(main())
`

func asyncSSH(t testing.TB) Server {
	python := find(t, "/usr/bin/python3")
	if exec.Command(python, "-W", "ignore", "-c", "import asyncssh").Run() != nil {
		find(t, "python3-asyncssh") // not installed
	}
	m := prepare(t)
	program := write(t, m.dir, "server.py", asyncSSHProgram)
	authorized := write(t, m.dir, "authorized_keys", m.client.authorized())
	return m.server(run(t, m.port, python, "-W", "ignore", program, fmt.Sprint(m.port), m.host.file, authorized))
}
