// Package captcha tells people from programs before a form is taken (requirements IP-16,
// SP-04, GU-15): digits in a picture, the same digits as counted signals for those who do
// not see, and a question in words for those who neither see nor hear.
//
// It keeps out programs that were not written for this gateway. What one that was may do is
// bounded elsewhere: by a certificate at registration, by budgets at sign-in and support.
//
// Nothing is kept until a challenge is answered: it travels sealed through the page, so that
// nobody fills our memory by asking for pictures. An answer, right or wrong, uses it up.
package captcha

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/page"
	"propusk/server/request"
)

// Names of the fields of a form with a challenge.
const (
	FieldID     = "captcha-id"
	FieldAnswer = "captcha"
)

// Life is how long a challenge may be answered: long enough to fill in the form around it.
const Life = 20 * time.Minute

// Limits of what a browser gets for an answer.
const (
	// KnownLife is how long a browser that has answered once is not asked again.
	KnownLife = time.Hour
	// maxKnown is how many forms it may send meanwhile.
	maxKnown = 20
	// maxAnswer is the longest answer that is looked at, in bytes.
	maxAnswer = 32
	// maxSeen is how many answered challenges are remembered at a time. Beyond it nobody
	// gets in: an old answer must not be good again.
	maxSeen = 1 << 20
)

// knownCookie says that the browser has answered.
const knownCookie = "__Host-propusk-human"

// What is sealed, bound into the seal.
const (
	sealChallenge = "propusk captcha 1"
	sealKnown     = "propusk captcha answered 1"
)

// Keeper makes challenges and checks answers. It is safe for concurrent use. Make it with
// New. Challenges end with it: a person who answers one of another life is asked again.
type Keeper struct {
	now  func() time.Time
	aead cipher.AEAD
	seen seen
}

// New returns a Keeper with a key of its own.
func New(now func() time.Time) *Keeper {
	key := make([]byte, 32)
	rand.Read(key) // never fails: crypto/rand aborts the program instead
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("captcha: AES refuses a key of 32 bytes: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("captcha: GCM refuses AES: " + err.Error())
	}
	return &Keeper{now: now, aead: aead}
}

// Routes adds the pictures and sounds.
func (k *Keeper) Routes(r gin.IRouter) {
	request.Get(r, "/captcha/:file", k.file)
}

// Issue makes a challenge for a page, which puts its ID into the field [FieldID] and the
// answer into [FieldAnswer].
func (k *Keeper) Issue() page.Captcha {
	t := token{issued: k.now()}
	rand.Read(t.seed[:])
	id := k.seal(sealChallenge, t)
	return page.Captcha{ID: id, Picture: "/captcha/" + id + ".png", Sound: "/captcha/" + id + ".wav", Question: t.puzzle().question()}
}

// Check uses a challenge up and reports whether the answer is right: the digits, or the
// number that answers the question. The reason is [reason.CaptchaExpired] for a challenge
// that is used, too old or of another life, [reason.CaptchaWrong] for another answer.
func (k *Keeper) Check(id, answer string) error {
	t, ok := k.open(sealChallenge, id)
	if !ok || t.over(k.now(), Life) {
		return reason.New(reason.CaptchaExpired, nil)
	}
	if times, room := k.seen.count(t.seed, k.now()); !room || times > 1 {
		return reason.New(reason.CaptchaExpired, nil)
	}
	answer = strings.Join(strings.Fields(answer), "")
	p := t.puzzle()
	right := len(answer) <= maxAnswer &&
		subtle.ConstantTimeCompare([]byte(answer), []byte(p.digits()))|subtle.ConstantTimeCompare([]byte(answer), []byte(p.number())) == 1
	if !right {
		return reason.New(reason.CaptchaWrong, nil)
	}
	return nil
}

// Know notes in the browser that a challenge was answered. Call it after Check and before
// the answer is written.
func (k *Keeper) Know(w http.ResponseWriter) {
	t := token{issued: k.now()}
	rand.Read(t.seed[:])
	http.SetCookie(w, &http.Cookie{
		Name: knownCookie, Value: k.seal(sealKnown, t), Path: "/", MaxAge: int(KnownLife.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Known reports whether the browser of a request has answered within KnownLife and need not
// be asked again.
func (k *Keeper) Known(r *http.Request) bool {
	t, ok := k.known(r)
	return ok && k.seen.times(t.seed) < maxKnown
}

// Use is Known for the form that is sent: it counts, and is false after the twentieth.
func (k *Keeper) Use(r *http.Request) bool {
	t, ok := k.known(r)
	if !ok {
		return false
	}
	times, room := k.seen.count(t.seed, k.now())
	return room && times <= maxKnown
}

func (k *Keeper) known(r *http.Request) (token, bool) {
	cookies := r.CookiesNamed(knownCookie)
	if len(cookies) != 1 {
		return token{}, false
	}
	t, ok := k.open(sealKnown, cookies[0].Value)
	return t, ok && !t.over(k.now(), KnownLife)
}

// file writes a picture or a sound. It may be fetched as often as the page is drawn.
func (k *Keeper) file(c *gin.Context) {
	name := c.Param("file")
	id, picture := strings.CutSuffix(name, ".png")
	if !picture {
		var sound bool
		if id, sound = strings.CutSuffix(name, ".wav"); !sound {
			id = ""
		}
	}
	t, ok := k.open(sealChallenge, id)
	if !ok || t.over(k.now(), Life) {
		request.From(c.Request.Context()).Code = reason.PageNotFound
		c.Status(http.StatusNotFound)
		return
	}
	if picture {
		c.Data(http.StatusOK, "image/png", t.puzzle().picture())
		return
	}
	c.Data(http.StatusOK, "audio/wav", t.puzzle().sound())
}

// token is what a challenge is made from.
type token struct {
	issued time.Time
	seed   [16]byte
}

// over reports whether the time of a token is over, or has not come yet.
func (t token) over(now time.Time, life time.Duration) bool {
	age := now.Sub(t.issued)
	return age >= life || age < -time.Minute
}

const tokenSize = 8 + 16

// maxID is the longest sealed token, in bytes: what is longer is none.
const maxID = 128

func (k *Keeper) seal(what string, t token) string {
	plain := binary.BigEndian.AppendUint64(make([]byte, 0, tokenSize), uint64(t.issued.Unix())) //nolint:gosec // read back as it was
	plain = append(plain, t.seed[:]...)
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(nil, nil, plain, []byte(what)))
}

func (k *Keeper) open(what, text string) (token, bool) {
	if len(text) > maxID {
		return token{}, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return token{}, false
	}
	plain, err := k.aead.Open(nil, nil, sealed, []byte(what))
	if err != nil || len(plain) != tokenSize {
		return token{}, false
	}
	t := token{issued: time.Unix(int64(binary.BigEndian.Uint64(plain)), 0)} //nolint:gosec // written by seal
	copy(t.seed[:], plain[8:])
	return t, true
}

// seen counts how often tokens were used. Two maps take turns, each for as long as the
// longest token lives.
type seen struct {
	mu       sync.Mutex
	now, old map[[16]byte]int
	turned   time.Time
}

// count notes one more use; room is false if there is none to note it.
func (s *seen) count(seed [16]byte, now time.Time) (times int, room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.turned); s.now == nil || age >= KnownLife {
		s.old, s.now, s.turned = s.now, make(map[[16]byte]int), now
		if age >= 2*KnownLife {
			s.old = nil
		}
	}
	times = s.now[seed] + s.old[seed] + 1
	if _, known := s.now[seed]; !known && len(s.now) >= maxSeen {
		return times, false
	}
	s.now[seed]++
	return times, true
}

// times returns how often a token was used.
func (s *seen) times(seed [16]byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now[seed] + s.old[seed]
}
