package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
)

// vault is a token as the agent uses it: a *tokens.Token, or one that a test gives a
// PIN pad.
type vault interface {
	Label() string
	Serial() string
	Model() string
	Manufacturer() string
	About() tokens.Model
	PIN() tokens.PINState
	TriesLeft() (int, bool)
	HasPINPad() bool
	Public() (*tokens.Session, error)
	Login(pin []byte, lastTry bool) (*tokens.Session, error)
}

// device is a token that is connected.
type device struct {
	vault
	id string // of the library and the token, for addresses
	// again: another library, which comes first, reaches it too.
	again bool
}

// lookTime is how long a page waits for libraries and tokens. They may take longer, and
// are asked only once meanwhile.
const lookTime = 8 * time.Second

// shelf holds the libraries of tokens. It is safe for concurrent use.
type shelf struct {
	books []*book
	// wait is lookTime, but in tests.
	wait time.Duration
	// wrap is how tests change what a token says; nil: not at all.
	wrap func(*tokens.Token) vault
}

// book is a library, opened when it is first asked.
type book struct {
	path string
	// ask returns what the library sees: (*book).tokens, but in tests.
	ask func() ([]*tokens.Token, error)
	// start is tokens.Open, but in tests.
	start   func(path string, o ...tokens.Option) (*tokens.Module, error)
	options []tokens.Option

	mu      sync.Mutex
	running *look // nil: nobody asks
	module  *tokens.Module
	closed  bool
}

// look is one question to a library, and its answer when done is closed.
type look struct {
	done   chan struct{}
	tokens []*tokens.Token
	err    error
}

func newShelf(paths []string, options []tokens.Option) *shelf {
	s := &shelf{wait: lookTime}
	for _, path := range paths {
		b := &book{path: path, start: tokens.Open, options: options}
		b.ask = b.tokens
		s.books = append(s.books, b)
	}
	return s
}

func (s *shelf) close() error {
	var all []error
	for _, b := range s.books {
		all = append(all, b.close())
	}
	return errors.Join(all...)
}

func (b *book) close() error {
	b.mu.Lock()
	b.closed = true
	module := b.module
	b.module = nil
	b.mu.Unlock()
	if module == nil {
		return nil
	}
	return module.Close()
}

// look begins to ask the library, unless that is under way: however many pages are
// opened, a library that is slow is asked by one.
func (b *book) look() *look {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == nil {
		l := &look{done: make(chan struct{})}
		b.running = l
		go func() {
			l.tokens, l.err = b.ask()
			b.mu.Lock()
			b.running = nil
			b.mu.Unlock()
			close(l.done)
		}()
	}
	return b.running
}

// tokens returns what the library sees now.
func (b *book) tokens() ([]*tokens.Token, error) {
	module, err := b.open()
	if err != nil {
		return nil, err
	}
	return module.Tokens()
}

// open is called by one look at a time. It does not hold the lock while the library
// starts: close must not wait for that.
func (b *book) open() (*tokens.Module, error) {
	b.mu.Lock()
	module, closed := b.module, b.closed
	b.mu.Unlock()
	if module != nil {
		return module, nil
	}
	ended := reason.New(reason.TokenModuleBad, errors.New("the agent has ended"))
	if closed {
		return nil, ended
	}
	module, err := b.start(b.path, b.options...)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	if closed = b.closed; !closed {
		b.module = module
	}
	b.mu.Unlock()
	if closed {
		return nil, errors.Join(ended, module.Close())
	}
	return module, nil
}

// trouble is a library that did not answer.
type trouble struct {
	Path string
	Code reason.Code
}

// devices returns the tokens that are connected, those of all libraries, asked at once.
// A library that hangs is waited for until the time is over, and is a trouble then.
func (s *shelf) devices(over <-chan struct{}) ([]device, []trouble) {
	looks := make([]*look, len(s.books))
	for i, b := range s.books {
		looks[i] = b.look()
	}
	var all []device
	var troubles []trouble
	seen := make(map[string]int) // serial number: the library that reaches it
	for i, b := range s.books {
		found, err := looks[i].answer(over)
		if err != nil {
			troubles = append(troubles, trouble{b.path, reason.Of(err)})
		}
		for _, t := range found {
			d := device{vault: s.wrapped(t), id: deviceID(b.path, t)}
			if serial := t.Serial(); strings.Trim(serial, "0 ") != "" { // else it has none
				first, ok := seen[serial]
				if d.again = ok && first != i; !d.again {
					seen[serial] = i
				}
			}
			all = append(all, d)
		}
	}
	return all, troubles
}

// answer waits for the answer, and prefers it to the end of the time.
func (l *look) answer(over <-chan struct{}) ([]*tokens.Token, error) {
	select {
	case <-l.done:
		return l.tokens, l.err
	default:
	}
	select {
	case <-l.done:
		return l.tokens, l.err
	case <-over:
		return nil, reason.New(reason.TokenTimeout, errors.New("the library has not answered yet"))
	}
}

// timer returns a channel that is closed when a page has waited for tokens long enough.
// The caller stops it.
func (s *shelf) timer() (over <-chan struct{}, stop func()) {
	closed := make(chan struct{})
	t := time.AfterFunc(s.wait, func() { close(closed) })
	return closed, func() { t.Stop() }
}

func (s *shelf) wrapped(t *tokens.Token) vault {
	if s.wrap != nil {
		return s.wrap(t)
	}
	return t
}

// deviceID tells tokens apart. It is no secret and says nothing to who does not know the
// token already.
func deviceID(path string, t *tokens.Token) string {
	h := sha256.New()
	for _, s := range []string{path, t.Serial(), t.Label(), t.Model()} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
