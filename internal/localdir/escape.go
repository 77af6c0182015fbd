package localdir

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// escapedPrefix begins the escaped form of a name, longPrefix that of a name whose escaped form would be too long.
	escapedPrefix = Prefix + "name-"
	longPrefix    = Prefix + "long-"

	// longestEscape is the length, in bytes, of a name that every file system can hold.
	longestEscape = 255
)

// escape returns the reserved name under which a single name is stored if the disk can't hold it or takes it for
// another one. It consists of characters that every disk holds and keeps apart. Different names have different escapes.
// The escape of a long name is a hash.
func escape(element string) string {
	const hexDigits = "0123456789abcdef"
	var b strings.Builder
	b.WriteString(escapedPrefix)
	for _, c := range []byte(element) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	if b.Len() <= longestEscape {
		return b.String()
	}
	sum := sha256.Sum256([]byte(element))
	return longPrefix + hex.EncodeToString(sum[:16])
}

// unescape reverts escape, except for long names.
func unescape(escaped string) (element string, ok bool) {
	rest, ok := strings.CutPrefix(escaped, escapedPrefix)
	if !ok || rest == "" {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		c := rest[i : i+1]
		if c == "%" {
			decoded, err := hex.DecodeString(rest[i+1 : min(i+3, len(rest))])
			if err != nil || len(decoded) != 1 {
				return "", false
			}
			c, i = string(decoded), i+2
		}
		b.WriteString(c)
	}
	if element = b.String(); escape(element) != escaped {
		return "", false // not made by escape
	}
	return element, true
}
