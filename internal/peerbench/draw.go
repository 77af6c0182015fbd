package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	panelWidth  = 3.6 * vg.Inch
	panelHeight = 2.7 * vg.Inch
	columns     = 2
	legendRow   = 0.2 * vg.Inch
)

var ourColor = color.RGBA{0xd5, 0x5e, 0x00, 0xff}

// palette gives the peers colors that color-blind readers can tell apart, too (after Okabe and Ito).
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x80, 0x80, 0x80, 0xff}, {0x9a, 0x8f, 0x00, 0xff},
	{0x8c, 0x56, 0x4b, 0xff}, {0x00, 0x00, 0x00, 0xff},
}

// names returns the names of the series of all panels, each once, in the order of their first appearance.
func (c chart) names() []string {
	var names []string
	for _, p := range c {
		for _, s := range p.series {
			if !slices.Contains(names, s.name) {
				names = append(names, s.name)
			}
		}
	}
	return names
}

// style returns the line style of a tool in all panels. Ours stand out.
func (c chart) style(name string) draw.LineStyle {
	if name == usTitle {
		return draw.LineStyle{Color: ourColor, Width: vg.Points(3)}
	}
	if name == usWarmTitle {
		return draw.LineStyle{Color: ourColor, Width: vg.Points(1.5), Dashes: []vg.Length{vg.Points(4), vg.Points(3)}}
	}
	k := slices.Index(c.names(), name)
	return draw.LineStyle{Color: palette[k%len(palette)], Width: vg.Points(1.2)}
}

// writeTo writes the chart as SVG: the panels in two columns, and the legend below.
func (c chart) writeTo(to io.Writer) error {
	if len(c) == 0 {
		return errors.New("there is nothing to draw")
	}
	rows := (len(c) + columns - 1) / columns
	names := c.names()
	legendHeight := legendRow * vg.Length((len(names)+columns-1)/columns+1)
	width, height := panelWidth*columns, panelHeight*vg.Length(rows)+legendHeight
	svg := vgsvg.New(width, height)
	whole := draw.New(svg)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())

	plots := make([][]*plot.Plot, rows)
	for k := range plots {
		plots[k] = make([]*plot.Plot, columns)
	}
	for k, p := range c {
		drawn, err := c.plot(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.title, err)
		}
		plots[k/columns][k%columns] = drawn
	}
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadTop: 4, PadRight: 8, PadLeft: 4, PadX: 12, PadY: 10}
	canvases := plot.Align(plots, tiles, draw.Crop(whole, 0, 0, legendHeight, 0))
	for k := range c {
		plots[k/columns][k%columns].Draw(canvases[k/columns][k%columns])
	}
	c.drawLegend(draw.Crop(whole, 0, 0, 0, legendHeight-height))
	var text bytes.Buffer
	if _, err := svg.WriteTo(&text); err != nil {
		return err
	}
	// A viewer may not have this font. The others have about the same widths.
	_, err := to.Write(bytes.ReplaceAll(text.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")))
	return err
}

// plot draws a panel. The seconds are on a logarithmic axis, so equal distances are equal ratios.
func (c chart) plot(p panel) (*plot.Plot, error) {
	drawn := plot.New()
	drawn.Title.Text = p.title
	drawn.X.Label.Text = "round trip, ms"
	drawn.Y.Label.Text = "seconds"
	drawn.X.Tick.Marker = p.roundTrips()
	drawn.Y.Scale = plot.LogScale{}
	drawn.Y.Tick.Marker = plot.TickerFunc(secondsTicks)
	for _, axis := range []*plot.Axis{&drawn.X, &drawn.Y} {
		axis.Label.TextStyle.Font = sans(9)
		axis.Tick.Label.Font = sans(8)
	}
	drawn.Title.TextStyle.Font = sans(10)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{0xe0}, color.Gray{0xe0}
	drawn.Add(grid)
	for _, s := range slices.Backward(p.series) { // ours is first, and is drawn over the others
		points := make(plotter.XYs, len(s.points))
		for k, at := range s.points {
			points[k] = plotter.XY{X: at.millis, Y: at.seconds}
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.LineStyle = c.style(s.name)
		marks.GlyphStyle = draw.GlyphStyle{Color: line.Color, Radius: line.Width + 1, Shape: draw.CircleGlyph{}}
		drawn.Add(line, marks)
	}
	// The margin is a ratio. With a single value, the margin of gonum would reach below zero.
	low, high := p.seconds()
	drawn.Y.Min, drawn.Y.Max = low/1.2, high*1.2
	return drawn, nil
}

// seconds returns the least and the greatest value of all points.
func (p panel) seconds() (low, high float64) {
	low, high = math.Inf(1), 0
	for _, s := range p.series {
		for _, at := range s.points {
			low, high = min(low, at.seconds), max(high, at.seconds)
		}
	}
	return low, high
}

// roundTrips returns ticks at the measured round-trip times.
func (p panel) roundTrips() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, s := range p.series {
		for _, at := range s.points {
			ticks = append(ticks, plot.Tick{Value: at.millis, Label: fmt.Sprint(at.millis)})
		}
	}
	slices.SortFunc(ticks, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	return slices.Compact(ticks)
}

func (c chart) drawLegend(canvas draw.Canvas) {
	text := draw.TextStyle{Font: sans(9), Color: color.Black, YAlign: draw.YCenter, Handler: plot.DefaultTextHandler}
	half := (canvas.Max.X - canvas.Min.X) / columns
	for k, name := range c.names() {
		x := canvas.Min.X + half*vg.Length(k%columns) + 0.4*vg.Inch
		y := canvas.Max.Y - legendRow*vg.Length(k/columns+1)
		canvas.StrokeLine2(c.style(name), x, y, x+0.3*vg.Inch, y)
		canvas.FillText(text, vg.Point{X: x + 0.4*vg.Inch, Y: y}, name)
	}
}

func sans(points float64) font.Font {
	return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, vg.Points(points))
}

// secondsTicks returns ticks at 1, 2 and 5 of each power of ten.
func secondsTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for _, digit := range []float64{1, 2, 5} {
			if at := digit * math.Pow(10, power); low <= at && at <= high {
				ticks = append(ticks, plot.Tick{Value: at, Label: fmt.Sprintf("%.3g", at)})
			}
		}
	}
	return ticks
}

func (c chart) write(name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return c.writeTo(f)
}
