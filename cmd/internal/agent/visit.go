package agent

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/server/signrequest"
)

const (
	// visitLife is how long a person has from the arrival of a request to the answer.
	visitLife = 10 * time.Minute
	// maxVisits bounds what a page that opens tabs can fill.
	maxVisits = 32
	// maxForms is how many forms of a visit can be open: tabs, and the way back.
	maxForms = 16
	// maxForm is the longest form of a page of the agent, in bytes.
	maxForm = 4 << 10
)

// A visit is a request that waits for the person to answer.
type visit struct {
	id      string // unguessable: it is what lets a browser see the pages
	request signrequest.Request
	gateway *signrequest.Gateway
	until   time.Time

	// busy is held while a token works: a visit does one thing at a time.
	busy sync.Mutex

	mu sync.Mutex
	// forms are the one-time tokens of the forms that were shown, the oldest first.
	forms []string
	// answer is what goes to the gateway; nil until there is one.
	answer *answer
	// taken: the page with the answer was opened, so that a browser has it.
	taken bool
	// keyless are the certificates of which it turned out that their key is missing.
	keyless map[string]bool
	// pinOfItsOwn are those whose token wants a second PIN for signatures.
	pinOfItsOwn map[string]bool
}

// answer is what the browser brings to the gateway: the signature in base64, or "cancelled"
// or "failed".
type answer struct{ signature, failure string }

// received is a request that was seen.
type received struct {
	visit string
	until time.Time // after that the request itself is too old
}

// receive takes the request of a gateway. A request leads to one visit, however often
// it comes (people click twice), and is no good when the visit is over.
func (a *Agent) receive(w http.ResponseWriter, r *http.Request) {
	jws, err := requestOf(w, r)
	if err != nil {
		a.refuse(w, r, err, nil)
		return
	}
	now := a.now()
	request, gateway, err := signrequest.Verify(jws, a.gateways, now)
	if err != nil {
		a.refuse(w, r, err, nil)
		return
	}
	// Without the signature: of ECDSA there are two for one.
	v, err := a.enter(sha256.Sum256([]byte(jws[:strings.LastIndexByte(jws, '.')])), request, gateway, now)
	if err != nil {
		a.refuse(w, r, err, nil)
		return
	}
	a.lists[gateway.URL].begin()
	forgetOthers(w.Header())
	http.Redirect(w, r, "/visit/"+v.id, http.StatusSeeOther)
}

// requestOf returns the request from the address, or from a form: a long text does not
// fit into an address.
func requestOf(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return one(r.URL.Query()["request"])
	}
	r.Body = http.MaxBytesReader(w, r.Body, signrequest.MaxToken+maxForm)
	if err := r.ParseForm(); err != nil {
		return "", reason.New(reason.SignRequestMalformed, errors.New("the form cannot be read"))
	}
	return one(r.PostForm["request"])
}

func one(values []string) (string, error) {
	if len(values) != 1 {
		return "", reason.Errorf(reason.SignRequestMalformed, "%d requests at once", len(values))
	}
	return values[0], nil
}

// enter returns the visit of a request: a new one, or that which is open already.
func (a *Agent) enter(id [32]byte, request signrequest.Request, gateway *signrequest.Gateway, now time.Time) (*visit, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, seen := range a.requests {
		if now.After(seen.until) {
			delete(a.requests, id)
		}
	}
	for id, v := range a.visits {
		if now.After(v.until) {
			delete(a.visits, id)
		}
	}
	if seen, ok := a.requests[id]; ok {
		if v := a.visits[seen.visit]; v != nil && !v.answered() {
			return v, nil
		}
		return nil, reason.New(reason.AgentRequestUsed, nil)
	}
	if len(a.visits) >= maxVisits && !a.dropAnswered() {
		return nil, reason.New(reason.AgentBusy, nil)
	}
	v := &visit{
		id: rand.Text(), request: request, gateway: gateway, until: now.Add(visitLife),
		keyless: make(map[string]bool), pinOfItsOwn: make(map[string]bool),
	}
	a.visits[v.id] = v
	// Verify takes a request until Skew after its end.
	a.requests[id] = received{v.id, request.Expires.Add(2 * signrequest.Skew)}
	return v, nil
}

// dropAnswered forgets the oldest visit that is over, so that whoever signs much is not
// told to wait, and reports whether there was one. Its request stays used.
func (a *Agent) dropAnswered() bool {
	var oldest *visit
	for _, v := range a.visits {
		if v.answered() && (oldest == nil || v.until.Before(oldest.until)) {
			oldest = v
		}
	}
	if oldest == nil {
		return false
	}
	delete(a.visits, oldest.id)
	return true
}

// call is a request for a page of a visit.
type call struct {
	*visit
	agent *Agent
	w     http.ResponseWriter
	r     *http.Request
}

// visited finds the visit of a page.
func (a *Agent) visited(page func(*call) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		v := a.visits[r.PathValue("visit")]
		a.mu.Unlock()
		if v == nil || a.now().After(v.until) {
			a.refuse(w, r, reason.New(reason.AgentVisitUnknown, nil), nil)
			return
		}
		c := &call{visit: v, agent: a, w: w, r: r}
		if v.answered() && !strings.HasSuffix(r.URL.Path, "/answer") {
			if r.Method == http.MethodPost {
				a.refuse(w, r, reason.New(reason.AgentRequestUsed, nil), c)
				return
			}
			c.goTo("/answer") // the way back in the browser
			return
		}
		if err := page(c); err != nil {
			a.refuse(w, r, err, c)
		}
	}
}

// goTo sends the browser to another page of the visit.
func (c *call) goTo(page string) {
	http.Redirect(c.w, c.r, "/visit/"+c.id+page, http.StatusSeeOther)
}

func (v *visit) answered() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.answer != nil
}

// finish gives the answer, unless there is one.
func (v *visit) finish(with answer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.answer != nil {
		return false
	}
	v.answer, v.forms = &with, nil
	return true
}

// newForm returns the one-time token of a form.
func (v *visit) newForm() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.forms) >= maxForms {
		v.forms = v.forms[1:]
	}
	token := rand.Text()
	v.forms = append(v.forms, token)
	return token
}

// useForm takes the one-time token of a form back.
func (v *visit) useForm(token []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.forms, func(f string) bool { return f == string(token) })
	if i < 0 {
		return reason.New(reason.AgentFormStale, nil)
	}
	v.forms = slices.Delete(v.forms, i, i+1)
	return nil
}

// mark notes something about a certificate for the rest of the visit.
func (v *visit) mark(set map[string]bool, certificate string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	set[certificate] = true
}

func (v *visit) marked(set map[string]bool, certificate string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return set[certificate]
}

// cancel answers that the person does not want to sign, or that it did not work.
func (c *call) cancel() error {
	f, err := readForm(c.r.Body)
	if err != nil {
		return err
	}
	defer f.wipe()
	if err := c.useForm(f.value("form")); err != nil {
		return err
	}
	failure := "cancelled"
	if string(f.value("why")) == "failed" {
		failure = "failed"
	}
	if !c.finish(answer{failure: failure}) {
		return reason.New(reason.AgentRequestUsed, nil)
	}
	c.agent.log.LogAttrs(c.r.Context(), slog.LevelInfo, "not signed",
		slog.String("gateway", c.gateway.URL), slog.String("request", c.request.ID), slog.String("why", failure))
	c.goTo("/answer")
	return nil
}

// form is a form of a page of the agent. It is read without package net/url, which makes
// strings, because a PIN in a string cannot be wiped.
type form struct {
	raw    []byte
	fields []field
}

type field struct{ name, value []byte }

// readForm reads application/x-www-form-urlencoded.
func readForm(body io.Reader) (form, error) {
	raw := make([]byte, maxForm+1)
	n, err := io.ReadFull(body, raw)
	f := form{raw: raw}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		f.wipe()
		return form{}, reason.Errorf(reason.AgentFormStale, "the form is longer than %d bytes, or broke off", maxForm)
	}
	for pair := range bytes.SplitSeq(raw[:n], []byte("&")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		name, ok1 := unescape(name)
		value, ok2 := unescape(value)
		if !ok1 || !ok2 || f.has(name) {
			f.wipe()
			return form{}, reason.Errorf(reason.AgentFormStale, "the form cannot be read")
		}
		f.fields = append(f.fields, field{name, value})
	}
	return f, nil
}

// unescape decodes in place.
func unescape(b []byte) ([]byte, bool) {
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(b) {
				return nil, false
			}
			high, ok1 := nibble(b[i+1])
			low, ok2 := nibble(b[i+2])
			if !ok1 || !ok2 {
				return nil, false
			}
			c, i = high<<4|low, i+2
		}
		b[n] = c
		n++
	}
	return b[:n], true
}

func nibble(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func (f form) has(name []byte) bool {
	return slices.ContainsFunc(f.fields, func(have field) bool { return bytes.Equal(have.name, name) })
}

// value returns a field, nil if there is none; it is gone after wipe.
func (f form) value(name string) []byte {
	for _, have := range f.fields {
		if string(have.name) == name {
			return have.value
		}
	}
	return nil
}

// wipe forgets what was entered.
func (f form) wipe() { clear(f.raw) }
