package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"

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
}

// shelf holds the libraries of tokens. It is safe for concurrent use.
type shelf struct {
	books []*book
	// wrap is how tests change what a token says; nil: not at all.
	wrap func(*tokens.Token) vault
}

// book is a library, opened when it is first asked.
type book struct {
	path    string
	options []tokens.Option
	mu      sync.Mutex
	module  *tokens.Module
	closed  bool
}

func newShelf(paths []string, options []tokens.Option) *shelf {
	s := &shelf{}
	for _, path := range paths {
		s.books = append(s.books, &book{path: path, options: options})
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
	defer b.mu.Unlock()
	b.closed = true
	if b.module == nil {
		return nil
	}
	err := b.module.Close()
	b.module = nil
	return err
}

// tokens returns what the library sees now.
func (b *book) tokens() ([]*tokens.Token, error) {
	module, err := b.open()
	if err != nil {
		return nil, err
	}
	return module.Tokens()
}

func (b *book) open() (*tokens.Module, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, reason.New(reason.TokenModuleBad, errors.New("the agent has ended"))
	}
	if b.module == nil {
		module, err := tokens.Open(b.path, b.options...)
		if err != nil {
			return nil, err
		}
		b.module = module
	}
	return b.module, nil
}

// trouble is a library that did not answer.
type trouble struct {
	Path string
	Code reason.Code
}

// devices returns the tokens that are connected, those of all libraries, asked at once:
// one that hangs holds nobody up but itself.
func (s *shelf) devices() ([]device, []trouble) {
	found, failed := make([][]*tokens.Token, len(s.books)), make([]error, len(s.books))
	var wait sync.WaitGroup
	for i, b := range s.books {
		wait.Go(func() { found[i], failed[i] = b.tokens() })
	}
	wait.Wait()
	var all []device
	var troubles []trouble
	seen := make(map[string]int) // serial number: the library that reaches it
	for i, b := range s.books {
		if failed[i] != nil {
			troubles = append(troubles, trouble{b.path, reason.Of(failed[i])})
		}
		for _, t := range found[i] {
			if first, ok := seen[t.Serial()]; ok && first != i && t.Serial() != "" {
				continue
			}
			seen[t.Serial()] = i
			all = append(all, device{s.wrapped(t), deviceID(b.path, t)})
		}
	}
	return all, troubles
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
