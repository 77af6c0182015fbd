package soak

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A file is a sequence of records. Each says who wrote it, and which of its records it is, how long it is, and its hash.

// record returns a record with a payload.
func record(writer string, number int, payload []byte) []byte {
	head := fmt.Sprintf("%s %d %d %x\n", writer, number, len(payload), sha256.Sum256(payload))
	return append([]byte(head), payload...)
}

var errTorn = errors.New("not a sequence of whole records")

// ends returns the offset behind each record of a file. The error is errTorn if the file is not whole.
func ends(content []byte) ([]int, error) {
	var all []int
	for at := 0; at < len(content); {
		line := bytes.IndexByte(content[at:], '\n') + 1
		var writer, sum string
		var number, length int
		_, err := fmt.Sscanf(string(content[at:at+line]), "%s %d %d %s\n", &writer, &number, &length, &sum)
		at += line
		if err != nil || length < 0 || length > len(content)-at ||
			fmt.Sprintf("%x", sha256.Sum256(content[at:at+length])) != sum {
			return nil, errTorn
		}
		at += length
		all = append(all, at)
	}
	return all, nil
}
