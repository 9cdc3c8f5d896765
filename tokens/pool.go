package tokens

// PINSource returns the PIN of a token for an unattended login: the caller of it wipes
// what it returns.
type PINSource func() ([]byte, error)

// PoolOptions say what a [Pool] is of.
type PoolOptions struct {
	Token string    // label or serial number; empty: the only one
	PIN   PINSource // nil: no login, public objects only
	Size  int       // sessions at most; zero: 2
}

// Pool is a token with one login and several sessions, for unattended work.
type Pool struct {
	module *Module
	o      PoolOptions
}

// NewPool returns a pool; nothing is connected before its first use.
func NewPool(m *Module, o PoolOptions) *Pool { return &Pool{module: m, o: o} }

// Do runs f with a session of the pool; while all are busy it waits. The session is of
// no use after f.
func (p *Pool) Do(f func(*Session) error) error {
	t, err := p.module.Find(p.o.Token)
	if err != nil {
		return err
	}
	s, err := t.Public()
	if err != nil {
		return err
	}
	err = f(s)
	if gone := s.Close(); err == nil {
		err = gone
	}
	return err
}

// Close ends the sessions.
func (p *Pool) Close() error { return nil }
