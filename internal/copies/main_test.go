package copies

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
)

func TestMain(m *testing.M) {
	lockorder.Check(1)
	goleak.VerifyTestMain(m)
}
