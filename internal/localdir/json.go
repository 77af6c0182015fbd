package localdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxJSON is how many bytes of a file of the library are read at most.
const maxJSON = 1 << 20

// ReadJSON reads a small file of the library into v.
func (d *Dir) ReadJSON(name string, v any) error {
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxJSON))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// WriteJSON writes v to such a file and syncs it.
func (d *Dir) WriteJSON(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
