package sshconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// tokens are the values of tokens such as %h, by letter. %% is always supported.
type tokens map[byte]string

func newTokens(q Query, h Host) (tokens, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	return tokens{'n': q.Alias, 'h': h.HostName, 'p': h.Port, 'r': h.User, 'u': q.LocalUser, 'd': home}, nil
}

func (t tokens) expand(value string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '%' {
			b.WriteByte(value[i])
			continue
		}
		i++
		switch {
		case i == len(value):
			return "", fmt.Errorf("%q ends with %%", value)
		case value[i] == '%':
			b.WriteByte('%')
			continue
		}
		meaning, known := t[value[i]]
		if !known {
			return "", fmt.Errorf("%q: %%%c is not supported", value, value[i])
		}
		b.WriteString(meaning)
	}
	return b.String(), nil
}

var environment = regexp.MustCompile(`\$\{[^}]*\}`)

// path is expand for a file name. It also expands ~ and ${VARIABLE}.
func (t tokens) path(value string) (string, error) {
	if strings.Contains(value, `"`) {
		return "", fmt.Errorf("%s: quotes within a value are not supported", value)
	}
	if rest, below := strings.CutPrefix(value, "~/"); below {
		value = "%d/" + rest
	}
	value, err := t.expand(value)
	if err != nil {
		return "", err
	}
	for _, v := range environment.FindAllString(value, -1) {
		meaning, set := os.LookupEnv(v[2 : len(v)-1])
		if !set {
			return "", fmt.Errorf("%s is not set", v)
		}
		value = strings.ReplaceAll(value, v, meaning)
	}
	return filepath.Clean(value), nil
}

// paths is path for several values. It leaves out "none", and returns nil for nil.
func (t tokens) paths(values []string) ([]string, error) {
	if values == nil {
		return nil, nil
	}
	paths := []string{}
	for _, value := range values {
		if strings.EqualFold(value, "none") {
			continue
		}
		p, err := t.path(value)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}
