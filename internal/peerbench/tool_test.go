package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var testJob = job{remoteDir: "/r", localDir: "/l", mount: "/m", scratch: "/s", names: "/n", blocks: 3,
	host: host{addr: "127.0.0.1", port: "22222", user: "me", keyFile: "/k", knownHosts: "/kh", sshConfig: "/c", program: "/p"}}

// line is a plan as a shell would show it.
func line(p plan) string {
	var parts []string
	if p.mount != nil {
		parts = append(parts, strings.Join(p.mount, " ")+" &")
	}
	for k, words := range p.pipe {
		text := strings.Join(words, " ")
		if k == 0 && p.input != "" {
			text += " <" + strings.TrimSpace(p.input)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " | ")
}

func TestPlans(t *testing.T) {
	t.Parallel()
	sftp := "sftp -q -F /c -B 262000 -R 256 -b - peerbench <"
	scp := "scp -q -r -F /c -X buffer=262000 -X nrequests=256 "
	rsync := "rsync -a -e ssh -F /c "
	rclone := " --config  --sftp-host 127.0.0.1 --sftp-port 22222 --sftp-user me --sftp-key-file /k --sftp-known-hosts-file /kh" +
		" --sftp-disable-hashcheck --sftp-shell-type none --sftp-chunk-size 255k --sftp-concurrency 64 --transfers 16 --checkers 16 "
	streams := "--multi-thread-cutoff 1M --multi-thread-streams 4 "
	sshfs := "sshfs -f -F /c peerbench:/r /m"
	us := func(fsName, task, isFile string) string {
		return "/p client -fs " + fsName + " -task " + task + " -addr 127.0.0.1:22222 -user me -key /k -known-hosts /kh" +
			" -remote /r -local /l -scratch /s -item i -file=" + isFile + " -names /n -blocks 3"
	}
	want := map[string]string{
		"syncfs pull":       us("syncfs", "pull", "false"),
		"syncfs push file":  us("syncfs", "push", "true"),
		"syncfs-warm edits": us("syncfs", "edits", "false") + " -warm",
		"sftp pull":         sftp + `get -r "/r/i" "/l/"`,
		"sftp pull file":    sftp + `get "/r/i" "/l/"`,
		"sftp push":         sftp + `put -r "/l/i" "/r/"`,
		"sftp list":         "",
		"sftp edits":        "",
		"scp pull":          scp + "peerbench:/r/i /l/",
		"scp push":          scp + "/l/i peerbench:/r/",
		"scp reads file":    "",
		"rsync pull":        rsync + "peerbench:/r/i /l/",
		"rsync push":        rsync + "/l/i peerbench:/r/",
		"rsync edits":       rsync + "/l/i peerbench:/r/",
		"rsync list":        rsync + "--list-only --no-human-readable peerbench:/r/i/",
		"rsync first file":  "",
		"ssh pull":          "ssh -F /c peerbench tar -C '/r' -cf - i | tar -C /l -xf -",
		"ssh push":          "tar -C /l -cf - i | ssh -F /c peerbench tar -C '/r' -xf -",
		"ssh list":          `ssh -F /c peerbench find '/r/i' -type f -printf '%s %P\n'`,
		"ssh first file":    "ssh -F /c peerbench head -c 1 '/r/i'",
		"ssh edits":         "",
		"rclone pull":       "rclone copy" + rclone + streams + ":sftp:/r/i /l/i",
		"rclone pull file":  "rclone copyto" + rclone + streams + ":sftp:/r/i /l/i",
		"rclone push":       "rclone copy" + rclone + streams + "/l/i :sftp:/r/i",
		"rclone edits":      "rclone copy" + rclone + streams + "/l/i :sftp:/r/i",
		"rclone list":       "rclone lsl" + rclone + ":sftp:/r/i",
		"rclone cached":     "",
		"sshfs pull":        sshfs + " -o ro & | cp -r /m/i /l/",
		"sshfs push":        sshfs + " & | cp -r /l/i /m/",
		"sshfs edits":       sshfs + " & | cp -r -u --preserve=timestamps /l/i /m/",
		"sshfs list":        sshfs + ` -o ro & | find /m/i -type f -printf %s %P\n`,
		"sshfs reads file":  sshfs + " -o ro & | " + strings.Replace(us("os", "reads", "true"), "-local /l", "-local /m", 1),
		"sshfs cached":      "",
		"afero pull":        us("afero", "pull", "false"),
		"afero edits":       "",
		"os cached":         us("os", "cached", "false"),
		"os pull":           "",
		"lftp first file":   "",
		"lftp pull file":    lftp(`pget -n 8 -O "/l" "/r/i"`),
		"lftp push file":    lftp(`put -O "/r" "/l/i"`),
		"lftp pull":         lftp(`mirror -P16 "/r/i" "/l/i"`),
		"lftp push":         lftp(`mirror -R -P16 "/l/i" "/r/i"`),
		"lftp edits":        lftp(`mirror -R -P16 "/l/i" "/r/i"`),
		"lftp list":         lftp(`cd "/r/i"; find -l`),
	}
	known := make(map[string]tool)
	for _, tool := range tools() {
		known[tool.name] = tool
	}
	for what, want := range want {
		words := strings.Fields(what)
		j := testJob
		j.task, j.item = task(words[1]), item{"i", []group{{1, 2, 3}}}
		if len(words) == 3 {
			j.item.groups = []group{{0, 1, 3}}
		}
		p, able := known[words[0]].plan(j)
		require.Equal(t, want != "", able, what)
		if able {
			require.Equal(t, want, line(p), what)
		}
	}
}

func lftp(end string) string {
	return `lftp -c set cmd:fail-exit yes; set net:max-retries 5; set net:reconnect-interval-base 1; set xfer:clobber yes; ` +
		`set xfer:log no; set mirror:parallel-directories yes; set sftp:connect-program "ssh -a -x -F /c"; ` +
		`set sftp:max-packets-in-flight 256; open -u me, sftp://peerbench; ` + end
}

// Whoever can list has to be understood.
func TestWhoListsIsParsed(t *testing.T) {
	t.Parallel()
	listing := 0
	for _, tool := range tools() {
		j := testJob
		j.task = list
		if _, able := tool.plan(j); able {
			listing++
			require.NotNil(t, tool.parse, tool.name)
		}
	}
	require.Equal(t, 8, listing)
}

func TestParseLists(t *testing.T) {
	t.Parallel()
	want := file{"a/b.txt", 1024}
	for text, parse := range map[string]func(string) (file, bool){
		"1024 a/b.txt": parsePlain,
		"     1024 2024-05-06 07:08:00.000000000 a/b.txt":                  parsePlain,
		"-rw-r--r--          1,024 2024/05/06 07:08:00 a/b.txt":            parseRsync,
		"-rw-r--r-- root/root      1024 2024-05-06 07:08:00 ./a/b.txt":     parseLftp,
		"-rw-r--r--  root/root           1024 2024-05-06 07:08:00 a/b.txt": parseLftp,
	} {
		got, ok := parse(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for text, parse := range map[string]func(string) (file, bool){
		"": parsePlain, "report {}": parsePlain,
		"drwxr-xr-x          4,096 2024/05/06 07:08:00 a":       parseRsync,
		"drwxr-xr-x root/root         0 2024-05-06 07:08:00 ./": parseLftp,
	} {
		_, ok := parse(text)
		require.False(t, ok, text)
	}
}

func TestMissingTool(t *testing.T) {
	t.Parallel()
	require.NoError(t, tool{programs: []string{"ls"}}.missing())
	require.EqualError(t, tool{programs: []string{"ls", "no-such-program"}}.missing(), "no-such-program is not installed")
}

func TestSSHConfig(t *testing.T) {
	t.Parallel()
	text := sshConfigText(testJob.host)
	for _, line := range []string{"Port 22222", "User me", `IdentityFile "/k"`, `UserKnownHostsFile "/kh"`, "StrictHostKeyChecking yes"} {
		require.Contains(t, text, "\n"+line+"\n")
	}
}

func TestMovedHost(t *testing.T) {
	t.Parallel()
	require.Equal(t, "[127.0.0.1]:5 ssh-ed25519 AAAA\n[127.0.0.1]:5 ecdsa BBBB\n",
		movedHost("[127.0.0.1]:4 ssh-ed25519 AAAA\n[127.0.0.1]:4 ecdsa BBBB\n", "127.0.0.1:5"))
}

func TestQuote(t *testing.T) {
	t.Parallel()
	require.Equal(t, `'a'\''b'`, quote("a'b"))
}
