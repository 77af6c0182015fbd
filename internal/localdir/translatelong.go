package localdir

import (
	"os"
	"path/filepath"
	"strings"
)

// escaped returns the path of the escape of a name. If the name is long, it records the name, which the escape does not
// contain.
func (t *translated) escaped(e entry) (string, error) {
	escaped := escape(e.element)
	if strings.HasPrefix(escaped, longPrefix) && t.original(escaped) != e.element {
		if err := t.writeName(filepath.Join(filepath.FromSlash(NamesDir), escaped), e.element); err != nil {
			return "", err
		}
	}
	return filepath.Join(e.dir, escaped), nil
}

func (t *translated) writeName(local, element string) error {
	f, err := t.disk.openFile(local, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(element), 0)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = t.disk.syncDir(filepath.Dir(local))
	}
	return err
}

// original returns the name that has an escape; "" if it is unknown.
func (t *translated) original(escaped string) string {
	if !strings.HasPrefix(escaped, longPrefix) {
		element, _ := unescape(escaped)
		return element
	}
	f, err := t.disk.openFile(filepath.Join(filepath.FromSlash(NamesDir), escaped), os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 4*longestEscape)
	n, _ := f.ReadAt(b, 0)
	if element := string(b[:n]); escape(element) == escaped {
		return element
	}
	return ""
}
