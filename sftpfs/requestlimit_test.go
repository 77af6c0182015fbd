package sftpfs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

func TestRequestLimit(t *testing.T) {
	t.Parallel()
	type end struct{ generation, depth, waiting int }
	for name, c := range map[string]struct {
		ends []end
		want int
	}{
		"none":                            {nil, wire.MaxRequests},
		"one":                             {[]end{{0, 1, 64}}, wire.MaxRequests},
		"two in a row":                    {[]end{{0, 1, 64}, {1, 3, 60}}, 32},
		"of one connection":               {[]end{{0, 1, 64}, {0, 1, 60}, {0, 0, 30}}, wire.MaxRequests},
		"two connections":                 {[]end{{0, 1, 30}, {0, 1, 64}, {1, 1, 30}, {1, 1, 60}}, 32},
		"as many had been answered":       {[]end{{0, 64, 64}, {0, 64, 50}}, wire.MaxRequests},
		"as many were answered between":   {[]end{{0, 1, 64}, {1, 64, 0}, {1, 1, 64}}, wire.MaxRequests},
		"fewer were answered between":     {[]end{{0, 1, 64}, {1, 63, 0}, {1, 1, 64}}, 32},
		"the second one had answered all": {[]end{{0, 1, 64}, {1, 64, 80}, {2, 1, 64}}, 40},
		"few waited":                      {[]end{{0, 0, 4}, {0, 0, 3}, {0, 0, 4}}, wire.MaxRequests},
		"again and again": {[]end{{0, 1, 64}, {1, 1, 64}, {2, 1, 32}, {3, 1, 31}, {4, 2, 16}, {5, 2, 16}, {6, 1, 8}, {7, 1, 8},
			{8, 1, 4}, {8, 1, 4}}, fewestRequests},
	} {
		var l requestLimit
		for _, e := range c.ends {
			l.ended(e.generation, e.depth, e.waiting)
		}
		require.Equal(t, c.want, l.most(), name)
	}
}
