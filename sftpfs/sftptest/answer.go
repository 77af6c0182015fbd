package sftptest

import (
	"fmt"
	"io/fs"
)

// An Answer is the reply to a Request. The zero value reports success.
//
// The Kind of the request decides which fields are sent.
type Answer struct {
	// Status is sent unless it is StatusOK and one of the fields below is the reply.
	Status Status

	// Message goes with Status. "" is the text that OpenSSH sends with it.
	Message string

	// Handle is the reply to Open and OpenDir.
	Handle string

	// Data is the reply to Read. For a request for an extension, it is the body of the SSH_FXP_EXTENDED_REPLY; if it is
	// nil, Status is sent.
	Data []byte

	// Attrs are the reply to Stat, Lstat and Fstat.
	Attrs Attributes

	// Entries are the reply to ReadDir. A single Entry is the reply to Realpath and Readlink.
	Entries []Entry

	fate fate
}

// An Entry is a name in a listing.
type Entry struct {
	Name  string
	Attrs Attributes
}

// A fate is what the server does with an Answer.
type fate int

const (
	sent fate = iota
	neverSent
	endsConnection
)

// Refuse returns an Answer with a status and a message, which the client may show. "" is the message that OpenSSH sends with the
// status.
func Refuse(status Status, message string) Answer { return Answer{Status: status, Message: message} }

// Drop returns an Answer that is never sent: the client waits for it in vain.
func Drop() Answer { return Answer{Status: StatusConnectionLost, fate: neverSent} }

// Cut returns an Answer that ends the connection in place of a reply. The server does not execute what follows on the same
// channel. It executes what it has received on other channels of the connection.
func Cut() Answer { return Answer{Status: StatusConnectionLost, fate: endsConnection} }

// result returns the Answer to a request that succeeds with a bare status.
func result(err error) Answer { return Answer{Status: statusOf(err)} }

// information returns the Answer to a request for attributes.
func information(fi fs.FileInfo, err error) Answer {
	if err != nil {
		return result(err)
	}
	return Answer{Attrs: attributesOf(fi)}
}

// packet encodes the answer to r.
func (a Answer) packet(r *Request) []byte {
	switch {
	case a.Status != StatusOK:
	case r.extended && a.Data != nil:
		return append(newPacket(packetExtendedReply, r.id), a.Data...).finish()
	case r.extended:
	case r.Kind == Open || r.Kind == OpenDir:
		return newPacket(packetHandle, r.id).string(a.Handle).finish()
	case r.Kind == Read:
		return newPacket(packetData, r.id).bytes(a.Data).finish()
	case r.Kind == Stat || r.Kind == Lstat || r.Kind == Fstat:
		return newPacket(packetAttrs, r.id).attributes(a.Attrs).finish()
	case r.Kind == ReadDir || r.Kind == Realpath || r.Kind == Readlink:
		e := newPacket(packetName, r.id).uint32(uint32(len(a.Entries)))
		for _, entry := range a.Entries {
			e = e.string(entry.Name).string(entry.long()).attributes(entry.Attrs)
		}
		return e.finish()
	}
	message := a.Message
	if message == "" {
		message = a.Status.text()
	}
	const language = ""
	return newPacket(packetStatus, r.id).uint32(uint32(a.Status)).string(message).string(language).finish()
}

// long returns the entry as ls -l shows it, for clients that show that to their users.
func (e Entry) long() string {
	a := e.Attrs
	if a.Size == nil || a.Mode == nil || a.Times == nil {
		return e.Name
	}
	var owner Owner
	if a.Owner != nil {
		owner = *a.Owner
	}
	kind := "-"
	switch *a.Mode & typeMask {
	case typeDir:
		kind = "d"
	case typeSymlink:
		kind = "l"
	}
	permissions := fs.FileMode(*a.Mode).Perm().String()[1:]
	return fmt.Sprintf("%s%s 1 %-8d %-8d %8d %s %s", kind, permissions, owner.UID, owner.GID, *a.Size,
		a.Times.Modify.Format("Jan _2 15:04"), e.Name)
}
