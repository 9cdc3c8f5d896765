package captcha

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strconv"

	"propusk/server/page"
)

// puzzle draws everything that a challenge asks from its seed, the same at every call.
type puzzle struct{ seed [16]byte }

func (t token) puzzle() puzzle { return puzzle{t.seed} }

// count is how many digits there are. None is 0: it looks like a letter and has no signal.
const count = 5

// source returns random numbers for one part of the puzzle.
func (p puzzle) source(part string) *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256(append([]byte(part+"\x00"), p.seed[:]...)))) //nolint:gosec // ChaCha8, keyed by what is sealed
}

// digits is what the picture shows.
func (p puzzle) digits() string {
	from := p.source("digits")
	var b [count]byte
	for i := range b {
		b[i] = '1' + byte(from.IntN(9))
	}
	return string(b[:])
}

// sum returns the two numbers of the question, and whether they are to be added: else the
// second one is to be written after the first.
func (p puzzle) sum() (a, b int, add bool) {
	from := p.source("words")
	return 2 + from.IntN(8), 11 + from.IntN(9), from.IntN(2) == 0
}

// number is the answer to the question; it has fewer digits than the picture.
func (p puzzle) number() string {
	a, b, add := p.sum()
	if add {
		return strconv.Itoa(a + b)
	}
	return strconv.Itoa(a*100 + b)
}

// question is the question in words.
func (p puzzle) question() page.Text {
	a, b, add := p.sum()
	if add {
		return page.Text{
			RU: "Сколько будет " + wordsRU[b] + " плюс " + wordsRU[a] + "? Ответьте цифрами.",
			EN: "How much is " + wordsEN[b] + " plus " + wordsEN[a] + "? Answer in figures.",
		}
	}
	return page.Text{
		RU: "Напишите цифрами число: " + hundredsRU[a] + " " + wordsRU[b] + ".",
		EN: "Write in figures: " + wordsEN[a] + " hundred and " + wordsEN[b] + ".",
	}
}

var (
	wordsRU = [...]string{
		2: "два", 3: "три", 4: "четыре", 5: "пять", 6: "шесть", 7: "семь", 8: "восемь", 9: "девять",
		11: "одиннадцать", 12: "двенадцать", 13: "тринадцать", 14: "четырнадцать", 15: "пятнадцать", 16: "шестнадцать", 17: "семнадцать", 18: "восемнадцать", 19: "девятнадцать",
	}
	hundredsRU = [...]string{
		2: "двести", 3: "триста", 4: "четыреста", 5: "пятьсот", 6: "шестьсот", 7: "семьсот", 8: "восемьсот", 9: "девятьсот",
	}
	wordsEN = [...]string{
		2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine",
		11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen",
	}
)

// Sizes of the picture, in pixels.
const (
	width, height = 240, 80
	cell          = 44 // from digit to digit
	stroke        = 3.1
)

type point struct{ x, y float64 }

// picture draws the digits: each turned, slanted and moved by chance, with thin lines
// through all of them.
func (p puzzle) picture() []byte {
	from := p.source("picture")
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for i, d := range p.digits() {
		place := placed(from, float64(i)*cell+30)
		line := glyphs[d-'1']
		for j := 1; j < len(line); j++ {
			draw(img, place(line[j-1]), place(line[j]), stroke, 40)
		}
	}
	for range 4 {
		wave(img, from)
	}
	var out bytes.Buffer
	// Whoever asks for many pictures pays with his line rather than with our time.
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img); err != nil {
		panic("captcha: a picture does not encode: " + err.Error())
	}
	return out.Bytes()
}

// placed returns where the points of a digit go whose middle is about x.
func placed(from *rand.Rand, x float64) func(point) point {
	around := func(span float64) float64 { return (from.Float64() - 0.5) * 2 * span }
	turn, slant := around(0.28), around(0.2)
	wide, tall := 25+around(4), 44+around(6)
	x, y := x+around(4), float64(height)/2+around(9)
	sin, cos := math.Sincos(turn)
	return func(p point) point {
		px, py := (p.x-0.5)*wide, (p.y-0.5)*tall
		px += slant * py
		return point{x + px*cos - py*sin, y + px*sin + py*cos}
	}
}

// wave draws a thin curve from edge to edge.
func wave(img *image.Gray, from *rand.Rand) {
	middle, high := float64(height)*(0.25+from.Float64()/2), 8+from.Float64()*18
	phase, long := from.Float64()*2*math.Pi, 40+from.Float64()*70
	at := func(x float64) point { return point{x, middle + high*math.Sin(phase+x/long*2*math.Pi)} }
	const step = 6
	for x := 0.0; x < width; x += step {
		draw(img, at(x), at(x+step), 0.8, 90)
	}
}

// draw darkens the pixels nearer than radius to the line from a to b, softly at the edge.
func draw(img *image.Gray, a, b point, radius float64, ink uint8) {
	reach := radius + 1
	box := image.Rect(int(min(a.x, b.x)-reach), int(min(a.y, b.y)-reach), int(max(a.x, b.x)+reach)+1, int(max(a.y, b.y)+reach)+1).Intersect(img.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			cover := min(max(radius+0.5-distance(point{float64(x) + 0.5, float64(y) + 0.5}, a, b), 0), 1)
			if shade := uint8(255 - cover*float64(255-ink)); shade < img.GrayAt(x, y).Y {
				img.SetGray(x, y, color.Gray{Y: shade})
			}
		}
	}
}

// distance returns how far p is from the line between a and b.
func distance(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	along := 0.0
	if square := dx*dx + dy*dy; square > 0 {
		along = min(max(((p.x-a.x)*dx+(p.y-a.y)*dy)/square, 0), 1)
	}
	return math.Hypot(p.x-a.x-along*dx, p.y-a.y-along*dy)
}

// glyphs are the digits 1 to 9, each one line in a square of side 1.
var glyphs = [...][]point{
	{{0.25, 0.25}, {0.55, 0}, {0.55, 1}},
	{{0.1, 0.27}, {0.2, 0.08}, {0.5, 0}, {0.8, 0.1}, {0.88, 0.3}, {0.75, 0.5}, {0.08, 1}, {0.94, 1}},
	{{0.1, 0.12}, {0.4, 0}, {0.75, 0.06}, {0.85, 0.25}, {0.7, 0.43}, {0.38, 0.48}, {0.75, 0.55}, {0.9, 0.75}, {0.74, 0.94}, {0.4, 1}, {0.08, 0.88}},
	{{0.72, 1}, {0.72, 0}, {0.06, 0.7}, {0.96, 0.7}},
	{{0.86, 0}, {0.2, 0}, {0.15, 0.46}, {0.5, 0.38}, {0.82, 0.5}, {0.9, 0.71}, {0.72, 0.94}, {0.4, 1}, {0.08, 0.9}},
	{{0.82, 0.07}, {0.52, 0}, {0.24, 0.18}, {0.1, 0.55}, {0.15, 0.85}, {0.48, 1}, {0.8, 0.9}, {0.9, 0.7}, {0.77, 0.5}, {0.45, 0.45}, {0.13, 0.62}},
	{{0.08, 0}, {0.92, 0}, {0.4, 1}},
	{
		{0.5, 0.46}, {0.22, 0.36}, {0.17, 0.16}, {0.35, 0.02}, {0.65, 0.02}, {0.83, 0.16}, {0.78, 0.36}, {0.5, 0.46},
		{0.15, 0.6}, {0.1, 0.82}, {0.3, 0.98}, {0.7, 0.98}, {0.9, 0.82}, {0.85, 0.6}, {0.5, 0.46},
	},
	{{0.18, 0.93}, {0.48, 1}, {0.76, 0.82}, {0.9, 0.45}, {0.85, 0.15}, {0.52, 0}, {0.2, 0.1}, {0.1, 0.3}, {0.23, 0.5}, {0.55, 0.55}, {0.87, 0.38}},
}

// Of the sound: samples a second, and lengths in samples.
const (
	rate    = 8000
	signal  = rate * 12 / 100
	gap     = rate * 16 / 100
	between = rate * 7 / 10
	border  = rate * 35 / 100
)

// sound is the digits as groups of short high signals to be counted, with a long low one
// before each group. It needs no language, and no voice that some would not understand.
func (p puzzle) sound() []byte {
	var samples []byte
	silence := func(n int) { samples = append(samples, bytes.Repeat([]byte{128}, n)...) }
	tone := func(n int, hertz float64) {
		for i := range n {
			// Softly in and out, so that it does not click.
			loud := min(1, float64(i)/80, float64(n-i)/80)
			samples = append(samples, byte(128+70*loud*math.Sin(2*math.Pi*hertz*float64(i)/rate)))
		}
	}
	silence(between)
	for _, d := range p.digits() {
		tone(border, 220)
		silence(between)
		for range d - '0' {
			tone(signal, 880)
			silence(gap)
		}
		silence(between)
	}
	return wav(samples)
}

// wav writes PCM of 8 bits and one channel into a RIFF file.
func wav(samples []byte) []byte {
	size := uint32(len(samples)) //nolint:gosec // some 200,000
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+size)...)
	b = append(b, "WAVEfmt "...)
	for _, v := range []uint32{16, 1 | 1<<16, rate, rate, 1 | 8<<16} { // PCM, one channel; a byte a sample
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	return append(b, samples...)
}
