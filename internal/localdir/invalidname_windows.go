package localdir

import (
	"errors"

	"golang.org/x/sys/windows"
)

func isInvalidName(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_NAME) || errors.Is(err, windows.ERROR_BAD_PATHNAME)
}
