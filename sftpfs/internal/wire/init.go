package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// sftpVersion is the version that is spoken. All servers know it, and those that know more speak it if they are asked to.
const sftpVersion = 3

// PipelineInit lets requests follow the INIT packet at once, where pkg/sftp would wait for the server's VERSION: pkg/sftp is
// given one that is made up. The server's own is checked when it comes. Call PipelineInit before the first Read.
func (w *Wire) PipelineInit() {
	b := []byte{packetVersion, 0, 0, 0, sftpVersion}
	// pkg/sftp looks for no other extension before it uses it. Whether the server offers this one, Extensions tells.
	for _, s := range []string{ExtensionFsync, "1"} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	w.held = append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	w.pipelinedInit = true
}

// version registers what the server offers.
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

// Initialized tells whether the server's VERSION packet has come.
func (w *Wire) Initialized() bool { return w.extensions.Load() != nil }

// InitDone returns a channel that is closed when Initialized becomes true.
func (w *Wire) InitDone() <-chan struct{} { return w.initialized }

// Extensions returns the protocol extensions that the server offers, with their data. It returns nil while that is not known.
// The caller must not change the map.
func (w *Wire) Extensions() map[string]string {
	if extensions := w.extensions.Load(); extensions != nil {
		return *extensions
	}
	return nil
}

// notStarted is the error of a channel that ends before the server's VERSION packet has come.
func notStarted(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the server ended it")
	}
	return fmt.Errorf("starting SFTP: %w", err)
}
