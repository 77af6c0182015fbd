package sftpfs

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Messages of a server are data: they may be long, and hold what a terminal obeys.

// maxCause is how many bytes of the reason are kept for which there is no connection. A reason may hold those of several
// jump hosts.
const maxCause = 4 << 10

// printable returns text on one line, without control characters, formatting characters and invalid bytes. Of a long
// text it returns about most bytes.
func printable(text string, most int) string {
	var b strings.Builder
	for _, r := range text {
		if b.Len() >= most {
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// textOf returns the letters and digits of a message, in lower case and without the prefix of the names of the drafts.
// Messages that differ in nothing else say the same.
func textOf(message string) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, message)
	return strings.TrimPrefix(text, "sshfx")
}

// pathPrefix is what precedes the reason in the errors of servers that are written in Go: operation and path, which
// the errors of this side name, too.
var pathPrefix = regexp.MustCompile(`^[a-z]+ /[^:]*: `)

func withoutPath(message string) string { return message[len(pathPrefix.FindString(message)):] }
