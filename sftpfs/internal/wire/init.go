package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// sftpVersion is the version of the protocol that the Wire speaks. All servers know it, and servers that know later
// versions speak this one if asked to.
const sftpVersion = 3

// PipelineInit lets requests follow the INIT packet at once. pkg/sftp would wait for the server's VERSION packet, so
// the Wire gives it one that is made up, and checks the server's own when it arrives. Call PipelineInit before the
// first Read.
func (w *Wire) PipelineInit() {
	b := []byte{packetVersion, 0, 0, 0, sftpVersion}
	// This is the only extension that pkg/sftp looks for before it uses it. Extensions returns what the server really
	// offers.
	for _, s := range []string{ExtensionFsync, "1"} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	w.held = append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	w.pipelinedInit = true
}

// version checks the server's VERSION packet, and records the extensions in it.
func (w *Wire) version() error {
	header := w.held
	body, err := w.rest()
	switch v := binary.BigEndian.Uint32(header[5:]); {
	case err != nil:
		return err
	case w.Initialized():
		return errMalformed
	case v != sftpVersion:
		return fmt.Errorf("the server speaks version %d", v)
	}
	extensions := make(map[string]string)
	for f := (fields{b: body}); len(f.b) > 0; {
		name, data := f.string(), f.string()
		if f.bad {
			return errMalformed
		}
		extensions[name] = data
	}
	w.extensions.Store(&extensions)
	close(w.initialized)
	if !w.pipelinedInit {
		w.held = append(header, body...)
	}
	return nil
}

// Initialized reports whether the server's VERSION packet has arrived.
func (w *Wire) Initialized() bool { return w.extensions.Load() != nil }

// InitDone returns a channel that is closed when Initialized becomes true.
func (w *Wire) InitDone() <-chan struct{} { return w.initialized }

// Extensions returns the protocol extensions that the server offers, with their data. It returns nil until the server's
// VERSION packet has arrived. The caller must not change the map.
func (w *Wire) Extensions() map[string]string {
	if extensions := w.extensions.Load(); extensions != nil {
		return *extensions
	}
	return nil
}

// notStarted returns the error for a channel that ends before the server's VERSION packet has arrived.
func notStarted(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the server ended it")
	}
	return fmt.Errorf("starting SFTP: %w", err)
}
