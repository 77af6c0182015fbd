package mirror

// The ranks of the locks, for lockorder. Rank 4 is in package copies, 6 in package download, 7 and 8 are in package localstore.
// What each lock guards stands beside it. The package documentation explains the order.
type (
	handleLock struct{} // of File and Dir
	bytesLock  struct{} // openFile.bytes
	startLock  struct{} // openFile.starting
	stateLock  struct{} // state.mu
)

func (handleLock) Rank() int { return 1 }
func (bytesLock) Rank() int  { return 2 }
func (startLock) Rank() int  { return 3 }
func (stateLock) Rank() int  { return 5 }

func (handleLock) Waits() bool { return true }
func (bytesLock) Waits() bool  { return true }
func (startLock) Waits() bool  { return true }
func (stateLock) Waits() bool  { return false }
