package sftpfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// sftpVersion is the one that is spoken. All servers know it, and those that know more speak it if they are asked to.
const sftpVersion = 3

// goAhead has requests follow the first packet at once, where pkg/sftp would wait for the server's version: it is given
// one that is made up. The server's own is looked at when it comes. It is called before anything is read.
func (w *wire) goAhead() {
	b := []byte{packetVersion, 0, 0, 0, sftpVersion}
	// pkg/sftp looks for no other extension before it uses it. Who offers this one is asked elsewhere, see File.Sync.
	for _, s := range []string{extensionFsync, "1"} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	w.held = append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	w.ahead = true
}

// version notes what the server offers.
func (w *wire) version() error {
	header := w.held
	body, err := w.rest()
	switch v := binary.BigEndian.Uint32(header[5:]); {
	case err != nil:
		return err
	case w.hasHeard():
		return errMalformed
	case v != sftpVersion:
		return fmt.Errorf("the server speaks version %d", v)
	}
	offers := make(map[string]string)
	for f := (fields{b: body}); len(f.b) > 0; {
		name, value := f.string(), f.string()
		if f.bad {
			return errMalformed
		}
		offers[name] = value
	}
	w.offers = offers
	close(w.heard)
	if !w.ahead {
		w.held = append(header, body...)
	}
	return nil
}

// hasHeard tells whether the server has said what it offers.
func (w *wire) hasHeard() bool { return isClosed(w.heard) }

// notStarted is the error of a channel that ends before the server has said what it offers.
func notStarted(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the server ended it")
	}
	return fmt.Errorf("starting SFTP: %w", err)
}
