package tokens

import (
	"maps"
	"sync"
	"time"

	"propusk/pki/reason"
)

// remote is a library in a child. A child that has gone is replaced by the next call;
// its sessions are gone with it, and the PIN is not sent again by itself.
type remote struct {
	path string
	o    *options

	mu       sync.Mutex
	process  *process
	sessions map[uint]remoteSession
	last     uint          // session that was given out last
	pads     map[uint]bool // slots whose token has a PIN pad
	closed   bool
	failed   error     // why there is no child: the last one did not start
	retry    time.Time // when another one is tried
}

// startPause is how long no child is started after one that did not start: a library that
// cannot would otherwise be started for each operation, and one that hangs then be waited
// for by each in turn.
const startPause = time.Second

// remoteSession is a session in a child, under a number that no other child has.
type remoteSession struct {
	process *process
	handle  uint
	pad     bool
}

// loadRemote starts a child with a library.
func loadRemote(path string, o *options) (library, error) {
	r := &remote{path: path, o: o, sessions: make(map[uint]remoteSession), pads: make(map[uint]bool)}
	if _, err := r.current(); err != nil {
		return nil, err
	}
	return r, nil
}

// current is the child, a new one if the last one has gone.
func (r *remote) current() (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, reason.Errorf(reason.TokenFailed, "the library has been closed")
	case r.process != nil && r.process.alive():
		return r.process, nil
	case time.Now().Before(r.retry):
		return nil, r.failed
	}
	clear(r.sessions)
	p, err := startProcess(r.path, r.o)
	if err != nil {
		r.process, r.failed, r.retry = nil, err, time.Now().Add(startPause)
		return nil, err
	}
	r.process = p
	return p, nil
}

// call asks the current child.
func (r *remote) call(q *request) (*answer, error) {
	p, err := r.current()
	if err != nil {
		return nil, err
	}
	a, err := p.call(q, r.o.deadlines.Call)
	if err != nil {
		return &answer{}, err
	}
	return a, nil
}

// in asks the child that a session is in.
func (r *remote) in(session uint, q *request, deadline time.Duration) (*answer, error) {
	r.mu.Lock()
	s, ok := r.sessions[session]
	r.mu.Unlock()
	if !ok || !s.process.alive() {
		return &answer{}, reason.Errorf(reason.TokenSessionLost, "the process of the library was started again")
	}
	q.on = s.handle
	a, err := s.process.call(q, deadline)
	if err != nil {
		return &answer{}, err
	}
	return a, nil
}

// person is how long a call may take that may wait for a person.
func (r *remote) person(session uint) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[session].pad {
		return r.o.deadlines.Person
	}
	return r.o.deadlines.Call
}

// onlyNumber is the number of an answer that has one.
func (a *answer) onlyNumber(err error) (uint, error) {
	switch {
	case err != nil:
		return 0, err
	case len(a.numbers) != 1:
		return 0, reason.New(reason.TokenFailed, errWire)
	}
	return a.numbers[0], nil
}

func (r *remote) info() (Info, error) {
	a, err := r.call(&request{op: opInfo})
	if err != nil {
		return Info{}, err
	}
	return a.info, nil
}

func (r *remote) slots() ([]uint, error) {
	a, err := r.call(&request{op: opSlots})
	if err != nil {
		return nil, err
	}
	return a.numbers, nil
}

func (r *remote) token(slot uint) (tokenInfo, error) {
	a, err := r.call(&request{op: opToken, on: slot})
	if err != nil {
		return tokenInfo{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pads, slot)
	if a.token.flags&flagPINPad != 0 && len(r.pads) < maxTokens {
		r.pads[slot] = true
	}
	return a.token, nil
}

func (r *remote) mechanisms(slot uint) ([]Mechanism, error) {
	a, err := r.call(&request{op: opMechanisms, on: slot})
	if err != nil {
		return nil, err
	}
	return a.mechanisms, nil
}

func (r *remote) open(slot uint, writable bool) (uint, error) {
	p, err := r.current()
	if err != nil {
		return 0, err
	}
	a, err := p.call(&request{op: opOpen, on: slot, flag: writable}, r.o.deadlines.Call)
	handle, err := a.onlyNumber(err)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// A library that gives a handle again has ended the session that had it: whoever
	// still holds that must not get into this one, which may be of another token.
	maps.DeleteFunc(r.sessions, func(_ uint, s remoteSession) bool { return s.process == p && s.handle == handle })
	r.last++
	r.sessions[r.last] = remoteSession{process: p, handle: handle, pad: r.pads[slot]}
	return r.last, nil
}

func (r *remote) state(session uint) (uint, error) {
	a, err := r.in(session, &request{op: opState}, r.o.deadlines.Call)
	return a.onlyNumber(err)
}

func (r *remote) login(session uint, who user, pin []byte) error {
	deadline := r.o.deadlines.Call
	if pin == nil {
		deadline = r.o.deadlines.Person
	}
	_, err := r.in(session, &request{op: opLogin, kind: uint(who), flag: pin == nil, data: pin}, deadline)
	return err
}

func (r *remote) logout(session uint) error {
	_, err := r.in(session, &request{op: opLogout}, r.o.deadlines.Call)
	return err
}

func (r *remote) shut(session uint) error {
	_, err := r.in(session, &request{op: opShut}, r.o.deadlines.Call)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, session)
	return err
}

func (r *remote) find(session uint, template []attribute) ([]uint, error) {
	a, err := r.in(session, &request{op: opFind, template: template}, r.o.deadlines.Call)
	return a.numbers, err
}

func (r *remote) attribute(session, object, kind uint) ([]byte, error) {
	a, err := r.in(session, &request{op: opAttribute, object: object, kind: kind}, r.o.deadlines.Call)
	return a.data, err
}

func (r *remote) sign(session uint, m mechanism, key uint, data []byte) ([]byte, error) {
	a, err := r.in(session, &request{op: opSign, mechanism: m, object: key, data: data}, r.person(session))
	return a.data, err
}

func (r *remote) signPIN(session uint, m mechanism, key uint, data, pin []byte) ([]byte, error) {
	q := &request{op: opSignPIN, mechanism: m, object: key, data: data, further: pin, flag: pin == nil}
	a, err := r.in(session, q, r.person(session))
	return a.data, err
}

func (r *remote) verify(session uint, m mechanism, key uint, data, signature []byte) error {
	_, err := r.in(session, &request{op: opVerify, mechanism: m, object: key, data: data, further: signature}, r.o.deadlines.Call)
	return err
}

func (r *remote) create(session uint, template []attribute) (uint, error) {
	a, err := r.in(session, &request{op: opCreate, template: template}, r.o.deadlines.Call)
	return a.onlyNumber(err)
}

func (r *remote) destroy(session, object uint) error {
	_, err := r.in(session, &request{op: opDestroy, object: object}, r.o.deadlines.Call)
	return err
}

func (r *remote) derive(session uint, m mechanism, key uint, template []attribute) (uint, error) {
	a, err := r.in(session, &request{op: opDerive, mechanism: m, object: key, template: template}, r.person(session))
	return a.onlyNumber(err)
}

func (r *remote) generate(session uint, m mechanism, public, private []attribute) (publicKey, privateKey uint, err error) {
	q := &request{op: opGenerate, mechanism: m, template: public, second: private}
	a, err := r.in(session, q, r.o.deadlines.Person)
	switch {
	case err != nil:
		return 0, 0, err
	case len(a.numbers) != 2:
		return 0, 0, reason.New(reason.TokenFailed, errWire)
	}
	return a.numbers[0], a.numbers[1], nil
}

// closeTime is how long a library may take to finish: some never do.
const closeTime = 5 * time.Second

// close ends the child. What it does with C_Finalize is of no interest any more.
func (r *remote) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.end()
	return nil
}

// restart ends the child; the next call starts another.
func (r *remote) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
}

// end ends the child, if there is one. r.mu is held.
func (r *remote) end() {
	p := r.process
	if p == nil || !p.alive() {
		return
	}
	_, _ = p.call(&request{op: opClose}, min(closeTime, r.o.deadlines.Call))
	p.fail(reason.Errorf(reason.TokenFailed, "the library has been closed"))
	select {
	case <-p.left: // nothing is left behind
	case <-time.After(closeTime): // the kernel cannot end it, which its driver may cause
	}
}
