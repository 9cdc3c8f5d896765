package captcha

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/captcha/captchatest"
	"propusk/server/page"
)

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newKeeper() (*Keeper, *clock) {
	c := &clock{time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)}
	return New(c.now), c
}

// solved returns the two right answers to a challenge.
func solved(t *testing.T, k *Keeper, c page.Captcha) (digits, number string) {
	t.Helper()
	token, ok := k.open(sealChallenge, c.ID)
	if !ok {
		t.Fatal("the challenge does not open")
	}
	return token.puzzle().digits(), token.puzzle().number()
}

func want(t *testing.T, err error, code reason.Code) {
	t.Helper()
	if code == "" && err != nil || code != "" && !errors.Is(err, code) {
		t.Errorf("got %v, want %q", err, code)
	}
}

func TestCheck(t *testing.T) {
	k, _ := newKeeper()
	digits, _ := solved(t, k, k.Issue())
	if len(digits) != count || strings.Contains(digits, "0") {
		t.Errorf("the digits are %q", digits)
	}
	for name, test := range map[string]struct {
		answer func(digits, number string) string
		code   reason.Code
	}{
		"digits":          {func(d, _ string) string { return d }, ""},
		"digits, spaced":  {func(d, _ string) string { return " " + strings.Join(strings.Split(d, ""), " ") }, ""},
		"question":        {func(_, n string) string { return n }, ""},
		"nothing":         {func(_, _ string) string { return "" }, reason.CaptchaWrong},
		"other digits":    {func(d, _ string) string { return "0" + d[1:] }, reason.CaptchaWrong},
		"both":            {func(d, n string) string { return d + n }, reason.CaptchaWrong},
		"too long":        {func(d, _ string) string { return strings.Repeat(d, 100) }, reason.CaptchaWrong},
		"part of digits":  {func(d, _ string) string { return d[:count-1] }, reason.CaptchaWrong},
		"letters instead": {func(_, _ string) string { return "пять" }, reason.CaptchaWrong},
	} {
		t.Run(name, func(t *testing.T) {
			issued := k.Issue()
			want(t, k.Check(issued.ID, test.answer(solved(t, k, issued))), test.code)
		})
	}
}

// TestOnce: an answer, right or wrong, uses a challenge up, also when several come at once.
func TestOnce(t *testing.T) {
	k, _ := newKeeper()
	for _, first := range []string{"", "00000"} {
		c := k.Issue()
		digits, number := solved(t, k, c)
		if first == "" {
			first = digits
		}
		k.Check(c.ID, first) //nolint:errcheck // the second one is looked at
		want(t, k.Check(c.ID, digits), reason.CaptchaExpired)
		want(t, k.Check(c.ID, number), reason.CaptchaExpired)
	}
	c := k.Issue()
	digits, _ := solved(t, k, c)
	var group sync.WaitGroup
	passed := make(chan bool, 50)
	for range cap(passed) {
		group.Go(func() {
			if k.Check(c.ID, digits) == nil {
				passed <- true
			}
		})
	}
	group.Wait()
	if len(passed) != 1 {
		t.Errorf("%d of %d got in by one answer", len(passed), cap(passed))
	}
}

func TestLife(t *testing.T) {
	k, clock := newKeeper()
	c := k.Issue()
	digits, _ := solved(t, k, c)
	clock.at = clock.at.Add(Life)
	want(t, k.Check(c.ID, digits), reason.CaptchaExpired)

	c = k.Issue()
	digits, _ = solved(t, k, c)
	clock.at = clock.at.Add(Life - time.Second)
	want(t, k.Check(c.ID, digits), "")
	// What was used stays used while it would be good, whatever is forgotten meanwhile.
	c = k.Issue()
	digits, _ = solved(t, k, c)
	want(t, k.Check(c.ID, digits), "")
	clock.at = clock.at.Add(Life - time.Second)
	k.Check(k.Issue().ID, "") //nolint:errcheck // it makes the maps take turns
	want(t, k.Check(c.ID, digits), reason.CaptchaExpired)

	// Nor is one good whose time has not come: the clock was set back, and would make it last.
	c = k.Issue()
	digits, _ = solved(t, k, c)
	clock.at = clock.at.Add(-2 * time.Minute)
	want(t, k.Check(c.ID, digits), reason.CaptchaExpired)

	other, _ := newKeeper()
	want(t, other.Check(k.Issue().ID, "1"), reason.CaptchaExpired)
	for _, id := range []string{"", "x", strings.Repeat("A", maxID+1), c.ID + "A"} {
		want(t, k.Check(id, digits), reason.CaptchaExpired)
	}
}

// TestFull: when nothing more can be remembered, nobody gets in.
func TestFull(t *testing.T) {
	k, _ := newKeeper()
	c := k.Issue()
	digits, _ := solved(t, k, c)
	k.seen.count([16]byte{1}, k.now())
	for i := range uint64(maxSeen) {
		var seed [16]byte
		binary.BigEndian.PutUint64(seed[:], i+2)
		k.seen.now[seed] = 1
	}
	want(t, k.Check(c.ID, digits), reason.CaptchaExpired)
}

func TestKnown(t *testing.T) {
	k, clock := newKeeper()
	w := httptest.NewRecorder()
	k.Know(w)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if k.Known(r) || k.Use(r) {
		t.Error("a browser without the cookie is known")
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("the cookie is %v", cookie)
	}
	r.AddCookie(cookie)
	for i := range maxKnown {
		if !k.Known(r) || !k.Use(r) {
			t.Fatalf("not known at form %d", i)
		}
	}
	if k.Known(r) || k.Use(r) {
		t.Error("one answer is good for any number of forms")
	}
	w = httptest.NewRecorder()
	k.Know(w)
	r = httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	clock.at = clock.at.Add(KnownLife)
	if k.Known(r) {
		t.Error("known for ever")
	}
	// A challenge is no answer.
	r = httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: knownCookie, Value: k.Issue().ID})
	if k.Known(r) {
		t.Error("the question passes for its answer")
	}
}

func get(k *Keeper, path string) *httptest.ResponseRecorder {
	e := gin.New()
	k.Routes(e)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestPicture(t *testing.T) {
	k, clock := newKeeper()
	c := k.Issue()
	w := get(k, c.Picture)
	img, err := png.Decode(bytes.NewReader(w.Body.Bytes()))
	if err != nil || w.Header().Get("Content-Type") != "image/png" {
		t.Fatalf("%d %s: %v", w.Code, w.Header(), err)
	}
	if size := img.Bounds().Size(); size.X != 240 || size.Y != 80 {
		t.Errorf("the picture is of %v; pages say 240 × 80", size)
	}
	if again := get(k, c.Picture); !bytes.Equal(again.Body.Bytes(), w.Body.Bytes()) {
		t.Error("the picture changes when it is loaded again")
	}
	if other := get(k, k.Issue().Picture); bytes.Equal(other.Body.Bytes(), w.Body.Bytes()) {
		t.Error("two challenges have one picture")
	}
	for _, path := range []string{"/captcha/x.png", "/captcha/.png", "/captcha/" + c.ID, "/captcha/" + c.ID + ".gif", "/captcha/" + c.ID + "AA.png"} {
		if w := get(k, path); w.Code != http.StatusNotFound || w.Body.Len() > 0 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	clock.at = clock.at.Add(Life)
	if w := get(k, c.Picture); w.Code != http.StatusNotFound {
		t.Errorf("the picture of an old challenge: %d", w.Code)
	}
}

// TestEveryDigitInside: no digit is drawn over the edge, however it is bent.
func TestEveryDigitInside(t *testing.T) {
	for i := range 300 {
		p := puzzle{[16]byte{byte(i), byte(i >> 8)}}
		from := p.source("picture")
		bend := warp(from)
		for j, s := range p.strokes(from) {
			for _, at := range s.points {
				if q := bend(at); q.x < s.radius || q.x > width-s.radius || q.y < s.radius || q.y > height-s.radius {
					t.Fatalf("puzzle %d: digit %d at %v", i, j, q)
				}
			}
		}
	}
}

// TestCut: a picture does not fall into its digits by telling dark from light, whatever counts
// as dark: most programs that read digits need that first.
func TestCut(t *testing.T) {
	const pictures = 60
	for _, level := range []uint8{70, 100, 140, 180} {
		cut := 0
		for i := range pictures {
			img, err := png.Decode(bytes.NewReader(puzzle{[16]byte{byte(i), 3}}.picture()))
			if err != nil {
				t.Fatal(err)
			}
			if parts(img.(*image.Gray), level) == count {
				cut++
			}
		}
		if cut > pictures/4 {
			t.Errorf("below %d, %d of %d pictures fall into %d parts", level, cut, pictures, count)
		}
	}
}

// parts returns how many parts of a picture, large enough for a digit, are darker than a level.
func parts(img *image.Gray, level uint8) (found int) {
	seen := make([]bool, len(img.Pix))
	for i := range img.Pix {
		size := 0
		for next := []int{i}; len(next) > 0; {
			j := next[len(next)-1]
			next = next[:len(next)-1]
			if j < 0 || j >= len(img.Pix) || seen[j] || img.Pix[j] >= level {
				continue
			}
			seen[j], size = true, size+1
			next = append(next, j-1, j+1, j-width, j+width)
		}
		if size >= 60 {
			found++
		}
	}
	return found
}

// TestGuess: no answer to the question is right much more often than others.
func TestGuess(t *testing.T) {
	const questions = 20000
	times := make(map[string]int)
	for i := range questions {
		times[puzzle{[16]byte{byte(i), byte(i >> 8), 1}}.number()]++
	}
	for answer, n := range times {
		if n > questions/200 {
			t.Errorf("%q answers %d of %d questions", answer, n, questions)
		}
	}
}

// TestSound: who counts the signals between the borders has the digits.
func TestSound(t *testing.T) {
	k, _ := newKeeper()
	c := k.Issue()
	w := get(k, c.Sound)
	b := w.Body.Bytes()
	if w.Header().Get("Content-Type") != "audio/wav" || len(b) < 44 || string(b[:4]) != "RIFF" || string(b[8:16]) != "WAVEfmt " ||
		int(binary.LittleEndian.Uint32(b[4:])) != len(b)-8 || int(binary.LittleEndian.Uint32(b[40:])) != len(b)-44 {
		t.Fatalf("not a WAV of its length: %d, %x", len(b), b[:min(44, len(b))])
	}
	digits, _ := solved(t, k, c)
	if heard := listen(b[44:]); heard != digits {
		t.Errorf("heard %q, want %q", heard, digits)
	}
	if seconds := len(b) / rate; seconds > 30 {
		t.Errorf("it takes %d s", seconds)
	}
}

// listen counts tones by their zero crossings: high ones are signals, low ones borders.
func listen(samples []byte) string {
	var heard strings.Builder
	signals, crossings, quiet, length := 0, 0, 0, 0
	finish := func() {
		switch hertz := crossings * rate / 2 / max(length, 1); {
		case length < 100:
		case hertz > 500:
			signals++
		default:
			if signals > 0 {
				heard.WriteString(strconv.Itoa(signals))
			}
			signals = 0
		}
		crossings, length = 0, 0
	}
	for i := 1; i < len(samples); i++ {
		if samples[i] == 128 && samples[i-1] == 128 {
			if quiet++; quiet == 50 {
				finish()
			}
			continue
		}
		quiet, length = 0, length+1
		if (samples[i] < 128) != (samples[i-1] < 128) {
			crossings++
		}
	}
	heard.WriteString(strconv.Itoa(signals))
	return heard.String()
}

// TestQuestion: every question has the answer that a person would give, in both languages.
func TestQuestion(t *testing.T) {
	for i := range 500 {
		p := puzzle{[16]byte{byte(i), byte(i >> 8), 7}}
		q := p.question()
		if ru, en := captchatest.Answer(q.RU), captchatest.Answer(q.EN); ru != p.number() || en != p.number() {
			t.Fatalf("%q and %q: %s and %s, want %s", q.RU, q.EN, ru, en, p.number())
		}
	}
}

func FuzzCheck(f *testing.F) {
	k, _ := newKeeper()
	c := k.Issue()
	f.Add(c.ID, "12345")
	f.Add("", "")
	f.Add(strings.Repeat("A", 70), "1")
	f.Fuzz(func(t *testing.T, id, answer string) {
		if k.Check(id, answer) == nil {
			token, ok := k.open(sealChallenge, id)
			got := strings.Join(strings.Fields(answer), "")
			if !ok || got != token.puzzle().digits() && got != token.puzzle().number() {
				t.Fatalf("%q passes", answer)
			}
		}
	})
}

func BenchmarkPicture(b *testing.B) {
	for i := range b.N {
		puzzle{[16]byte{byte(i), byte(i >> 8)}}.picture()
	}
}

func BenchmarkSound(b *testing.B) {
	for i := range b.N {
		puzzle{[16]byte{byte(i), byte(i >> 8)}}.sound()
	}
}
