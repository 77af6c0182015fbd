// Package limits uses the library with as much as anybody may have: files, directories, goroutines, bytes, long paths and
// logs. It checks every byte, and writes a table of the times and of the memory that the process took.
//
//	go test -timeout 0 ./internal/limits -run TestLimits -v -args -scale 1
//
// takes half an hour, and 60 GiB where temporary files are. Without -scale the limits are a thousandth of that, to see that
// everything works. Whether the cost grows faster than the number shows in the column "each" of two scales.
package limits
