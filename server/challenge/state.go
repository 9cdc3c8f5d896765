package challenge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/netip"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/session"
	"propusk/server/signrequest"
)

// Limits of one state. Whoever knows a state can post answers to it and ask for
// requests; more than these are not of a person.
const (
	maxAttempts = 10
	maxIssued   = 30
)

// Limits of answers that wait to be taken up: no longer than a browser needs to follow a
// redirect, and no more memory than 128 MiB.
const (
	maxAnswers = 4096
	answerLife = time.Minute
)

// phase is how far a state has come.
type phase int

const (
	open     phase = iota // waits for the answer
	answered              // has it
	used                  // has been completed, for better or worse
)

// state is a sign-in or a signing under way.
type state struct {
	key     string
	browser [32]byte // SHA-256 of the cookie of the browser that began
	job     job
	began   time.Time
	request signrequest.Request // without times of issue
	plugin  bool                // a plug-in is to sign, which says nothing of the purpose

	mu       sync.Mutex
	phase    phase
	attempts int
	issued   int
	bearer   [32]byte // SHA-256 of the key that the bringer of the answer got
}

// method is how the person was to sign.
func (st *state) method() page.Method {
	if st.plugin {
		return page.MethodPlugin
	}
	return page.MethodAgent
}

// answer is what an agent or a plug-in posted.
type answer struct {
	file    []byte      // DER
	failure reason.Code // instead of a file
}

// newState makes the state of a job.
func (c *Challenge) newState(key string, j job, browser [32]byte) *state {
	st := &state{key: key, browser: browser, job: j, began: c.opts.Now().UTC().Truncate(time.Second)}
	st.request = signrequest.Request{
		ID: request.NewID(), Issuer: c.opts.Issuer, ReturnTo: c.opts.Issuer + pathSigned,
		State: key, Nonce: session.NewKey(), Began: st.began,
	}
	j.fill(&st.request)
	return st
}

// over reports whether the time of the state is over.
func (st *state) over(now time.Time) bool { return !now.Before(st.began.Add(Life)) }

// issue returns the request for an agent, to be signed at now.
func (st *state) issue(now time.Time) (signrequest.Request, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.phase != open {
		return signrequest.Request{}, reason.New(reason.ChallengeAnswered, nil)
	}
	if st.issued++; st.issued > maxIssued {
		return signrequest.Request{}, reason.New(reason.ChallengeAttempts, nil)
	}
	r := st.request
	r.IssuedAt = now.UTC().Truncate(time.Second)
	r.Expires = r.IssuedAt.Add(signrequest.Life)
	if end := st.began.Add(Life); r.Expires.After(end) {
		r.Expires = end
	}
	return r, r.Check()
}

// attempt counts a try to answer.
func (st *state) attempt() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.attempts++; st.attempts > maxAttempts {
		return reason.New(reason.ChallengeAttempts, nil)
	}
	if st.phase != open {
		return reason.New(reason.ChallengeAnswered, nil)
	}
	return nil
}

// accept notes that there is an answer, under the key of its bearer.
func (st *state) accept(bearer string) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.phase != open {
		return reason.New(reason.ChallengeAnswered, nil)
	}
	st.phase, st.bearer = answered, sha256.Sum256([]byte(bearer))
	return nil
}

// take uses the answer up, for the bearer of its key in the browser that began. Once the
// bearer has come in another browser, nobody gets it: that is an attack, or its end.
//
// Spent tells that this call, and no other, ended the state: the answer is to be fetched or
// forgotten now.
func (st *state) take(bearer string, sameBrowser bool) (spent bool, err error) {
	digest := sha256.Sum256([]byte(bearer))
	st.mu.Lock()
	defer st.mu.Unlock()
	brought := st.phase == answered && subtle.ConstantTimeCompare(digest[:], st.bearer[:]) == 1
	switch {
	case !sameBrowser:
		if brought {
			st.phase = used
		}
		return brought, reason.New(reason.ChallengeOtherBrowser, nil)
	case st.phase == used:
		return false, reason.New(reason.ChallengeUsed, nil)
	case st.phase == open:
		return false, reason.New(reason.ChallengeUnanswered, nil)
	case !brought:
		return false, reason.New(reason.ChallengeOtherTab, nil)
	}
	st.phase = used
	return true, nil
}

// progress returns the phase.
func (st *state) progress() phase {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.phase
}

// states keeps states for twice their life, so that one that is over can be told from one
// that never was.
type states struct {
	now       func() time.Time
	store     *session.Store[*state]
	answers   *session.Store[answer]
	beginners *fair // who made states
	bearers   *fair // who brought answers
}

func newStates(limit int, now func() time.Time) *states {
	return &states{
		now: now, store: session.New[*state](limit, 2*Life, now),
		answers:   session.New[answer](maxAnswers, answerLife, now),
		beginners: newFair(limit, 2*Life, now), bearers: newFair(maxAnswers, answerLife, now),
	}
}

// add keeps the state that f makes for a fresh key, for a client.
func (s *states) add(by netip.Prefix, f func(key string) *state) (string, error) {
	if err := s.beginners.enter(by); err != nil {
		return "", err
	}
	key := session.NewKey()
	if !s.store.PutAs(key, f(key)) {
		return "", reason.Errorf(reason.ServerBusy, "too many sign-ins and signings are under way")
	}
	return key, nil
}

// find returns a state, and [reason.ChallengeUnknown] or [reason.ChallengeExpired], the
// latter with the state.
func (s *states) find(key string) (*state, error) {
	st, ok := s.store.Get(key)
	if !ok {
		return nil, reason.New(reason.ChallengeUnknown, nil)
	}
	if st.over(s.now()) {
		return st, reason.New(reason.ChallengeExpired, nil)
	}
	return st, nil
}

// answer keeps the answer to a state and returns the key for its bearer, a client.
func (s *states) answer(by netip.Prefix, st *state, a answer) (bearer string, err error) {
	if err := s.bearers.enter(by); err != nil {
		return "", err
	}
	bearer, ok := s.answers.Put(a)
	if !ok {
		return "", reason.Errorf(reason.ServerBusy, "too many answers wait to be taken up")
	}
	if err := st.accept(bearer); err != nil {
		s.answers.Take(bearer)
		return "", err
	}
	return bearer, nil
}

// take uses up the answer to a state.
func (s *states) take(st *state, bearer string, sameBrowser bool) ([]byte, error) {
	spent, err := st.take(bearer, sameBrowser)
	a, kept := answer{}, false
	if spent { // even if nobody gets it; another call must not take it from under the one that may
		a, kept = s.answers.Take(bearer)
	}
	switch {
	case err != nil:
		return nil, err
	case !kept:
		return nil, reason.Errorf(reason.ChallengeExpired, "the answer was not taken up within %s", answerLife)
	case a.failure != "":
		return nil, reason.New(a.failure, nil)
	}
	return a.file, nil
}

func (s *states) len() int { return s.store.Len() }

// publicKey returns the public half of a key of requests.
func publicKey(key crypto.Signer) (signrequest.Key, error) {
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return signrequest.Key{}, errors.New("not a key on P-256")
	}
	return signrequest.NewKey(pub)
}
