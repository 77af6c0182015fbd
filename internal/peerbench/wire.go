package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/link"
)

// wire is the connection between the tools and the server.
type wire struct {
	roundTrip time.Duration
	bandwidth int64 // bytes per second, each way; 0: unlimited
}

// parseWires parses a list such as "0,20ms,20ms@12MB", where MB is 10^6 bytes per second.
func parseWires(text string) ([]wire, error) {
	var wires []wire
	for part := range strings.SplitSeq(text, ",") {
		w, err := parseWire(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		wires = append(wires, w)
	}
	return wires, nil
}

func parseWire(text string) (wire, error) {
	bad := fmt.Errorf("%q is not a round trip such as 20ms, or 20ms@12MB with a bandwidth", text)
	delay, rate, limited := strings.Cut(text, "@")
	roundTrip, err := time.ParseDuration(delay)
	if err != nil || roundTrip < 0 {
		return wire{}, bad
	}
	w := wire{roundTrip: roundTrip}
	if limited {
		number, isMB := strings.CutSuffix(rate, "MB")
		n, err := strconv.ParseInt(number, 10, 32)
		if !isMB || err != nil || n <= 0 {
			return wire{}, bad
		}
		w.bandwidth = n * 1e6
	}
	return w, nil
}

// millis returns the round-trip time in milliseconds.
func (w wire) millis() float64 { return float64(w.roundTrip) / float64(time.Millisecond) }

func (w wire) String() string {
	text := strconv.FormatFloat(w.millis(), 'g', -1, 64) + " ms"
	if w.bandwidth > 0 {
		text += fmt.Sprintf(", %d MB/s", w.bandwidth/1e6)
	}
	return text
}

// isLoopback reports whether no link is simulated: the server is dialed directly.
func (w wire) isLoopback() bool { return w == wire{} }

func (w wire) options() link.Options {
	return link.Options{RoundTrip: w.roundTrip, Bandwidth: w.bandwidth}
}

// betterThan reports whether something may be faster over w than over the other wire.
func (w wire) betterThan(other wire) bool {
	wider := other.bandwidth > 0 && (w.bandwidth == 0 || w.bandwidth > other.bandwidth)
	return w.roundTrip < other.roundTrip || wider
}
