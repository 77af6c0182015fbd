package sftpservers

// Taken is a file that a Pickup has taken.
type Taken struct {
	Name    string // in the directory
	Content string
}
