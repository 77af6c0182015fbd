package sftptest

// NoAttributes lists names without attributes. The protocol allows that.
func NoAttributes() Character {
	return onEntries(func(a *Attributes) { *a = Attributes{} })
}

// NoTypes lists modes that have permissions but no type, so that files, directories and symbolic links look the same. Stat and
// Lstat tell the type. Some embedded servers do so.
func NoTypes() Character {
	return onEntries(func(a *Attributes) {
		if a.Mode != nil {
			a.Mode = new(*a.Mode &^ typeMask)
		}
	})
}

// onEntries changes the attributes in listings.
func onEntries(change func(*Attributes)) Character {
	return OnRequest(func(r *Request) Answer {
		a := r.Next()
		if r.Kind == ReadDir {
			for i := range a.Entries {
				change(&a.Entries[i].Attrs)
			}
		}
		return a
	})
}
