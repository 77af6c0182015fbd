package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"
)

func TestChart(t *testing.T) {
	t.Parallel()
	require.Equal(t, chart{
		{"256 MiB down", []series{
			{"go-syncfs", []point{{0, 0.5}, {20, 2}}},
			{"go-syncfs, connected before", []point{{0, 0.3}}},
			{"OpenSSH sftp", []point{{0, 0.25}, {20, 8}}},
			{"rclone", []point{{0, 1}}},
		}},
		{"walk of 10,000 files", []series{{"go-syncfs", []point{{0, 12.34}, {20, 123.4}}}}},
	}, filled().chart(), "not what has a limit of bandwidth, and not where the limit of time was met")
}

func TestDraw(t *testing.T) {
	t.Parallel()
	one := chart{{"a panel", []series{{"go-syncfs", []point{{5, 0.3}}}}}}
	for _, c := range []chart{filled().chart(), one} {
		var svg bytes.Buffer
		require.NoError(t, c.writeTo(&svg))
		texts := svgTexts(t, svg.String())
		for _, p := range c {
			require.Contains(t, texts, p.title)
		}
		for _, name := range c.names() {
			require.Contains(t, texts, name, "the legend")
		}
		require.Contains(t, texts, "seconds")
		require.Contains(t, svg.String(), "sans-serif")
	}
	require.Error(t, chart{}.writeTo(&bytes.Buffer{}))
}

// svgTexts returns the texts in a picture, which has to be well-formed.
func svgTexts(t *testing.T, svg string) []string {
	t.Helper()
	var texts []string
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		if text, ok := token.(xml.CharData); ok {
			texts = append(texts, string(text))
		}
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	require.Equal(t, []plot.Tick{{Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}, {Value: 2, Label: "2"},
		{Value: 5, Label: "5"}, {Value: 10, Label: "10"}}, secondsTicks(0.3, 12))
	p := panel{series: []series{{points: []point{{0, 1}, {20, 1}}}, {points: []point{{20, 1}, {2.5, 1}}}}}
	require.Equal(t, plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 2.5, Label: "2.5"}, {Value: 20, Label: "20"}},
		p.roundTrips())
}
