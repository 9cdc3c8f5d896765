package throttle

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"
)

// DeviceLife is how long a browser is remembered after its last sign-in.
const DeviceLife = 180 * 24 * time.Hour

// The cookie of a browser that has signed in to a login: a random name, when it ends, and
// what proves that it is of ours. It opens nothing; it moves guessing from one budget to
// another. OWASP calls it a device cookie.
const (
	cookiePrefix = "__Host-propusk-device-"
	deviceSize   = 16
	untilSize    = 8
	proofSize    = 32
)

// cookieName differs from login to login, and does not tell which one it is.
func (t *Throttle) cookieName(login string) string {
	digest := t.opts.Sealer.Pepper("device cookie name", login)
	return cookiePrefix + hex.EncodeToString(digest[:6])
}

// proof belongs to a device, a time and a login.
func (t *Throttle) proof(login string, head []byte) []byte {
	digest := t.opts.Sealer.Pepper("device cookie", hex.EncodeToString(head)+login)
	return digest[:]
}

// device returns the name of the browser of a request, if it has signed in to the login.
func (t *Throttle) device(r *http.Request, login string) (string, bool) {
	cookies := r.CookiesNamed(t.cookieName(login))
	if len(cookies) != 1 {
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cookies[0].Value)
	if err != nil || len(raw) != deviceSize+untilSize+proofSize {
		return "", false
	}
	head := raw[:deviceSize+untilSize]
	if subtle.ConstantTimeCompare(raw[len(head):], t.proof(login, head)) != 1 {
		return "", false
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(head[deviceSize:])), 0) //nolint:gosec // it was a time
	return hex.EncodeToString(head[:deviceSize]), t.opts.Now().Before(until)
}

// Known reports whether the browser of a request has signed in to the login before. It tells
// nothing about who sits before it.
func (t *Throttle) Known(r *http.Request, login string) bool {
	_, ok := t.device(r, login)
	return ok
}

// Remember makes the browser one that has signed in to the login. Call it after a sign-in
// that is complete, before the answer is written.
func (t *Throttle) Remember(w http.ResponseWriter, r *http.Request, login string) {
	head := make([]byte, deviceSize, deviceSize+untilSize)
	rand.Read(head) // never fails: crypto/rand aborts the program instead
	if known, ok := t.device(r, login); ok {
		head, _ = hex.DecodeString(known) // what it used up stays so
	}
	head = binary.BigEndian.AppendUint64(head, uint64(t.opts.Now().Add(DeviceLife).Unix())) //nolint:gosec // after 1970
	http.SetCookie(w, &http.Cookie{
		Name: t.cookieName(login), Value: base64.RawURLEncoding.EncodeToString(append(head, t.proof(login, head)...)),
		Path: "/", MaxAge: int(DeviceLife.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
