package form

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/request"
)

const (
	// TokenField is the name of the hidden field that the partial "token" writes.
	TokenField = "form-token"
	// MaxBody is the size of a form without files, in bytes.
	MaxBody = 64 << 10

	// The cookie that tokens are made of. Browsers take the first name only over TLS
	// and only from this very host; the check page has no TLS.
	secureCookie = "__Host-propusk-form"
	plainCookie  = "propusk-form"
	seedSize     = 32
)

// Token returns the token for the forms of a page, and gives the browser the cookie that it
// belongs to unless it has it. Call it before the page is written. No other site can read
// either, so that a form with the token is one of ours.
func Token(w http.ResponseWriter, r *http.Request) string {
	seed, ok := seedOf(r)
	if !ok {
		seed = make([]byte, seedSize)
		rand.Read(seed) // it never fails
		http.SetCookie(w, &http.Cookie{
			Name: cookieName(r), Value: base64.RawURLEncoding.EncodeToString(seed), Path: "/",
			Secure: overTLS(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		// A second form of the same answer has the same token.
		r.AddCookie(&http.Cookie{Name: cookieName(r), Value: base64.RawURLEncoding.EncodeToString(seed)})
	}
	return tokenOf(seed)
}

// tokenOf keeps the cookie, which scripts cannot read, out of the page.
func tokenOf(seed []byte) string {
	digest := sha256.Sum256(append([]byte("propusk form token 1\x00"), seed...))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

func overTLS(r *http.Request) bool { return request.ConnectionFrom(r.Context()).Kind != "none" }

func cookieName(r *http.Request) string {
	if overTLS(r) {
		return secureCookie
	}
	return plainCookie
}

// seedOf returns what the token of a browser is made of.
func seedOf(r *http.Request) ([]byte, bool) {
	cookies := r.CookiesNamed(cookieName(r))
	if len(cookies) != 1 { // two are somebody's trick
		return nil, false
	}
	seed, err := base64.RawURLEncoding.DecodeString(cookies[0].Value)
	return seed, err == nil && len(seed) == seedSize
}

// Refuse writes the page about a reason.
type Refuse = func(http.ResponseWriter, *http.Request, reason.Code)

// Guard lets a POST through only if it comes from a form of this host: the browser does not
// say otherwise (Sec-Fetch-Site, Origin), and the token is that of its cookie. It reads the
// body, of at most [MaxBody] bytes. Other methods pass.
func Guard(refuse Refuse) gin.HandlerFunc { return guard(refuse, MaxBody, false) }

// GuardUpload is [Guard] for a form with files (multipart/form-data), of at most max bytes
// in all, which it keeps in memory: r.MultipartForm has them.
func GuardUpload(refuse Refuse, maxBytes int64) gin.HandlerFunc { return guard(refuse, maxBytes, true) }

func guard(refuse Refuse, maxBytes int64, files bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request
		if r.Method != http.MethodPost {
			return
		}
		if err := admit(c.Writer, r, maxBytes, files); err != nil {
			code := reason.FormMalformed
			if e := new(reason.Error); errors.As(err, &e) {
				code = e.Code
			}
			event := request.From(r.Context())
			event.Code, event.Err = code, err
			c.Abort()
			refuse(c.Writer, r, code)
		}
	}
}

// admit reads a form and decides whether it is one of ours.
func admit(w http.ResponseWriter, r *http.Request, maxBytes int64, files bool) error {
	if !sameSite(r) {
		return reason.Errorf(reason.FormForeign, "the browser says that another site sent the form")
	}
	if err := read(w, r, maxBytes, files); err != nil {
		return err
	}
	seed, ok := seedOf(r)
	tokens := r.PostForm[TokenField]
	if !ok || len(tokens) != 1 || subtle.ConstantTimeCompare([]byte(tokens[0]), []byte(tokenOf(seed))) != 1 {
		return reason.Errorf(reason.FormExpired, "the token is not that of the cookie")
	}
	return nil
}

// read reads the body.
func read(w http.ResponseWriter, r *http.Request, maxBytes int64, files bool) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return reason.Errorf(reason.FormMalformed, "no media type")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBytes)
	switch {
	case media == "application/x-www-form-urlencoded":
		err = r.ParseForm()
	case files && media == "multipart/form-data":
		err = r.ParseMultipartForm(maxBytes)
	default:
		return reason.Errorf(reason.FormMalformed, "the media type is not that of the form")
	}
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return reason.Errorf(reason.FormTooLarge, "more than %d bytes", maxBytes)
	case err != nil:
		return reason.Errorf(reason.FormMalformed, "the body cannot be read as a form")
	}
	return nil
}

// sameSite reports whether nothing that the browser adds of its own says that the form is
// another site's. Browsers that add nothing are left to the token.
func sameSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" { // what our Referrer-Policy makes of it
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}
