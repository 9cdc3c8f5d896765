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

// hundreds returns the parts of the number that the question is about, from 221 to 999, and
// whether they are to be added: else they are spoken as one number. All are equally likely, and
// many: whoever guesses without reading is right once in 576 times.
func (p puzzle) hundreds() (hundreds, tens, ones int, add bool) {
	from := p.source("words")
	return 2 + from.IntN(8), 2 + from.IntN(8), 1 + from.IntN(9), from.IntN(2) == 0
}

// number is the answer to the question; it has fewer digits than the picture.
func (p puzzle) number() string {
	h, t, o, _ := p.hundreds()
	return strconv.Itoa(h*100 + t*10 + o)
}

// question is the question in words.
func (p puzzle) question() page.Text {
	h, t, o, add := p.hundreds()
	if add {
		return page.Text{
			RU: "Сколько будет " + hundredsRU[h] + " плюс " + tensRU[t] + " " + onesRU[o] + "? Ответьте цифрами.",
			EN: "How much is " + onesEN[h] + " hundred plus " + tensEN[t] + "-" + onesEN[o] + "? Answer in figures.",
		}
	}
	return page.Text{
		RU: "Напишите цифрами число: " + hundredsRU[h] + " " + tensRU[t] + " " + onesRU[o] + ".",
		EN: "Write in figures: " + onesEN[h] + " hundred and " + tensEN[t] + "-" + onesEN[o] + ".",
	}
}

var (
	onesRU     = [...]string{1: "один", 2: "два", 3: "три", 4: "четыре", 5: "пять", 6: "шесть", 7: "семь", 8: "восемь", 9: "девять"}
	tensRU     = [...]string{2: "двадцать", 3: "тридцать", 4: "сорок", 5: "пятьдесят", 6: "шестьдесят", 7: "семьдесят", 8: "восемьдесят", 9: "девяносто"}
	hundredsRU = [...]string{2: "двести", 3: "триста", 4: "четыреста", 5: "пятьсот", 6: "шестьсот", 7: "семьсот", 8: "восемьсот", 9: "девятьсот"}
	onesEN     = [...]string{1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}
	tensEN     = [...]string{2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety"}
)

// Sizes of the picture, in pixels.
const width, height = 240, 80

type point struct{ x, y float64 }

// around returns a number between -span and span.
func around(from *rand.Rand, span float64) float64 { return (from.Float64() - 0.5) * 2 * span }

// picture draws the digits so that people read them, and programs that cut a picture into
// digits and compare each with patterns mostly do not: the digits touch, each is bent in its
// own way, lines as dark as they are run through them, the whole is warped, and light and
// dark change places within patches.
func (p puzzle) picture() []byte {
	from := p.source("picture")
	bend := warp(from)
	var ink canvas
	for _, s := range p.strokes(from) {
		ink.draw(s, bend)
	}
	for range 2 {
		ink.draw(wave(from), bend)
	}
	var out bytes.Buffer
	// Whoever asks for many pictures pays with his line rather than with our time.
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, shaded(from, &ink)); err != nil {
		panic("captcha: a picture does not encode: " + err.Error())
	}
	return out.Bytes()
}

// stroke is one line of the picture.
type stroke struct {
	points []point
	radius float64
}

// strokes are the digits, the first at no certain place, the next close to it.
func (p puzzle) strokes(from *rand.Rand) []stroke {
	var all []stroke
	x := 27 + from.Float64()*16
	for _, d := range p.digits() {
		place := placed(from, x)
		s := stroke{radius: 2.4 + from.Float64()*0.8}
		for _, at := range glyphs[d-'1'] {
			at.x += around(from, 0.04)
			at.y += around(from, 0.04)
			s.points = append(s.points, place(at))
		}
		all = append(all, s)
		x += 35 + from.Float64()*8
	}
	return all
}

// placed returns where the points of a digit go whose middle is about x.
func placed(from *rand.Rand, x float64) func(point) point {
	turn, slant := around(from, 0.3), around(from, 0.2)
	wide, tall := 27+around(from, 4), 43+around(from, 6)
	y := float64(height)/2 + around(from, 7)
	sin, cos := math.Sincos(turn)
	return func(p point) point {
		px, py := (p.x-0.5)*wide, (p.y-0.5)*tall
		px += slant * py
		return point{x + px*cos - py*sin, y + px*sin + py*cos}
	}
}

// wave is a curve from edge to edge, thinner than digits are.
func wave(from *rand.Rand) stroke {
	middle, high := float64(height)*(0.3+from.Float64()*0.4), 8+from.Float64()*16
	phase, long := from.Float64()*2*math.Pi, 60+from.Float64()*80
	s := stroke{radius: 0.8 + from.Float64()*0.4}
	for x := -10.0; x <= width+10; x += 5 {
		s.points = append(s.points, point{x, middle + high*math.Sin(phase+x/long*2*math.Pi)})
	}
	return s
}

// warp returns where a point goes when the whole picture is bent.
func warp(from *rand.Rand) func(point) point {
	var high, long, phase [2]float64
	for i := range high {
		high[i], long[i], phase[i] = 2+from.Float64()*1.5, 50+from.Float64()*40, from.Float64()*2*math.Pi
	}
	return func(p point) point {
		return point{
			p.x + high[0]*math.Sin(phase[0]+p.y/long[0]*2*math.Pi),
			p.y + high[1]*math.Sin(phase[1]+p.x/long[1]*2*math.Pi),
		}
	}
}

// canvas is how far each pixel is covered, from 0 to 1.
type canvas [height][width]float64

// draw covers the pixels nearer than the radius to a stroke, softly at the edge.
func (c *canvas) draw(s stroke, bend func(point) point) {
	const parts = 3 // of each line: a bent one is none
	for i := 1; i < len(s.points); i++ {
		a, b := s.points[i-1], s.points[i]
		for j := range parts {
			from, to := float64(j)/parts, float64(j+1)/parts
			c.segment(
				bend(point{a.x + (b.x-a.x)*from, a.y + (b.y-a.y)*from}),
				bend(point{a.x + (b.x-a.x)*to, a.y + (b.y-a.y)*to}), s.radius)
		}
	}
}

func (c *canvas) segment(a, b point, radius float64) {
	reach := radius + 1
	for y := max(int(min(a.y, b.y)-reach), 0); y < min(int(max(a.y, b.y)+reach)+1, height); y++ {
		for x := max(int(min(a.x, b.x)-reach), 0); x < min(int(max(a.x, b.x)+reach)+1, width); x++ {
			cover := min(max(radius+0.5-distance(point{float64(x) + 0.5, float64(y) + 0.5}, a, b), 0), 1)
			c[y][x] = max(c[y][x], cover)
		}
	}
}

// patch is where light and dark change places: a round one.
type patch struct{ x, y, wide, high float64 }

// shaded is what people see of a canvas: shades that differ from place to place and grain,
// but always enough between light and dark.
func shaded(from *rand.Rand, ink *canvas) *image.Gray {
	var patches [2]patch // side by side: people lose their way among many
	for i := range patches {
		patches[i] = patch{
			(float64(i) + 0.3 + from.Float64()*0.4) * width / float64(len(patches)), from.Float64() * height,
			32 + from.Float64()*20, 22 + from.Float64()*18,
		}
	}
	phase, grain := from.Float64()*2*math.Pi, from.Float64()*2*math.Pi
	img := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			cover := ink[y][x]
			for _, p := range patches {
				if math.Hypot((float64(x)-p.x)/p.wide, (float64(y)-p.y)/p.high) < 1 {
					cover = 1 - cover
				}
			}
			light := 222 + 18*math.Sin(phase+float64(x)/45)
			dark := 52 + 24*math.Sin(grain+float64(x)/37+float64(y)/29)
			shade := light + (dark-light)*cover + around(from, 14)
			img.SetGray(x, y, color.Gray{Y: uint8(min(max(shade, 0), 255))})
		}
	}
	return img
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
	{{0.2, 0.27}, {0.52, 0}, {0.52, 1}, {0.2, 1}, {0.84, 1}}, // with a foot, unlike 7
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
