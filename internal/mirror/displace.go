package mirror

import "github.com/sftpsyncer/go-syncfs/internal/tree"

// Open returns before the remote has opened a file, once it is sure that it will. Whatever this side does next, the
// program reads the file that it has opened: a change by which a name of the remote would come to stand for something
// else, or the file could not be opened any more, waits for the opens that are under way. Of a file about which such a
// change is under way, Open returns when the remote has opened it.

// displacement is such a change.
type displacement struct{ paths []string }

// Displace makes a change of the remote that takes away, or may, what is under some paths and below them. What calls
// have asked before it ended counts no more. If it ends with m's context before it was begun, the error is that of the
// context.
func (m *FS) Displace(do func() error, paths ...string) error {
	d := &displacement{paths}
	var opening []*arrival
	end, err := m.Begin()
	if err != nil {
		return err
	}
	defer end()
	m.mu.Lock()
	m.displacing[d] = true
	for _, a := range m.arrivals {
		if !isClosed(a.opened) && d.concerns(a) {
			opening = append(opening, a)
		}
	}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.displacing, d)
		(&View{FS: m}).RemoteChanged()
	}()
	for _, a := range opening {
		select {
		case <-a.opened:
		case <-m.ctx.Done():
			return m.ctx.Err()
		}
	}
	return do()
}

// concerns says whether the remote opens a file for an arrival under one of the paths.
func (d *displacement) concerns(a *arrival) bool {
	other, _ := a.around.around(a.from)
	for _, path := range d.paths {
		if tree.Within(a.from, path) || other != "" && tree.Within(other, path) {
			return true
		}
	}
	return false
}

// displaced says whether what an arrival brings is being displaced. The mirror is locked.
func (m *FS) displaced(a *arrival) bool {
	for d := range m.displacing {
		if d.concerns(a) {
			return true
		}
	}
	return false
}
