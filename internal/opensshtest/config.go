package opensshtest

import (
	"cmp"
	"fmt"
	"strings"
)

// configText returns the sshd_config of the server. LogLevel is first, because the start is detected by a line of the
// log. The home of a session is an empty directory, because the startup files of the user's shell could take longer
// than the test.
func configText(port int, k keys, home string, o Options) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("LogLevel VERBOSE")
	for _, extra := range o.Config {
		line("%s", extra)
	}
	line("ListenAddress 127.0.0.1")
	line("Port %d", port)
	line("PidFile none")
	for _, host := range k.hosts {
		line("HostKey %q", host.file)
	}
	line("AuthorizedKeysFile %q", k.authorized)
	line("StrictModes no")
	line("UsePAM no")
	line("PasswordAuthentication no")
	line("KbdInteractiveAuthentication no")
	line("PermitUserRC no")
	line("PermitUserEnvironment no")
	line("PrintMotd no")
	line("SetEnv HOME=%q", home)
	line("Subsystem sftp %s", strings.Join(append([]string{cmp.Or(o.Subsystem, "internal-sftp")}, o.SFTPServerArgs...), " "))
	return b.String()
}
