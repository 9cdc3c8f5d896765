package tokens

import (
	"errors"
	"os"
	"testing"
	"time"

	"propusk/pki/reason"
)

// patient is a time that nothing here takes.
const patient = time.Minute

// across is a library behind the protocol of a child, which is in this process.
func across(t *testing.T, lib library) (*remote, *child) {
	t.Helper()
	pipe := func() (r, w *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		return r, w
	}
	theirs, requests := pipe()
	answers, ours := pipe()
	stderr, said := pipe()
	p := &process{
		requests: requests, answers: answers, stderr: stderr, said: &tail{}, kill: func() {},
		over: make(chan struct{}), left: make(chan struct{}), drained: make(chan struct{}), waiting: make(map[uint32]chan *answer),
	}
	c := &child{lib: lib, requests: theirs, answers: ours, exit: func(int) {}}
	gone := make(chan struct{})
	go func() { defer close(gone); c.work() }()
	go p.drain()
	t.Cleanup(func() {
		p.fail(errors.New("over"))
		<-gone
		if err := errors.Join(ours.Close(), said.Close(), theirs.Close()); err != nil {
			t.Error(err)
		}
		<-p.drained
		if err := errors.Join(answers.Close(), stderr.Close()); err != nil {
			t.Error(err)
		}
	})
	o := &options{deadlines: Deadlines{Call: patient, Person: patient}}
	return &remote{o: o, process: p, sessions: make(map[uint]remoteSession), pads: make(map[uint]bool)}, c
}

// Some libraries give the handle of a session that ended with its token to the next one.
// Who still has the old session does not get into the new one, be it to sign, to enter a PIN
// or to log out.
func TestHandlesThatAreGivenAgain(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}} // all its sessions have one handle
	r, _ := across(t, f)
	old, err := r.open(0, false)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := r.open(0, false)
	if err != nil || fresh == old {
		t.Fatalf("%d after %d, %v", fresh, old, err)
	}
	if err := r.login(fresh, userOrdinary, []byte("1")); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a PIN": r.login(old, userOrdinary, []byte("2")), "a logout": r.logout(old), "an end": r.shut(old),
	} {
		if reason.Of(err) != reason.TokenSessionLost {
			t.Errorf("%s in a session that is over: %v", what, err)
		}
	}
	if _, err := r.signPIN(old, mechanism{}, 0, nil, []byte("3")); reason.Of(err) != reason.TokenSessionLost {
		t.Errorf("a signature in a session that is over: %v", err)
	}
	if f.logins != 1 || !f.in {
		t.Errorf("%d logins, logged in: %t", f.logins, f.in)
	}
	if state, err := r.state(fresh); err != nil || state != stateUserReading {
		t.Errorf("the new session: %d, %v", state, err)
	}
}

// recorded is a library that keeps what it is given as PINs.
type recorded struct {
	faulty
	pins [][]byte
}

func (r *recorded) login(_ uint, _ user, pin []byte) error {
	r.pins = append(r.pins, pin)
	return nil
}

// The frame with a PIN is wiped in the child when the library has returned, and what the
// library prints is not kept from then on.
func TestPINIsWipedInTheChild(t *testing.T) {
	f := &recorded{faulty: faulty{tokens: []tokenInfo{one(0)}}}
	r, c := across(t, f)
	session, err := r.open(0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.login(session, userOrdinary, []byte("12345678")); err != nil {
		t.Fatal(err)
	}
	c.writing.Lock() // it has been wiped before the answer
	defer c.writing.Unlock()
	if len(f.pins) != 1 || string(f.pins[0]) != "\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q", f.pins)
	}
	if _, err := r.process.said.Write([]byte("12345678")); err != nil || r.process.said.text() != "" {
		t.Errorf("kept: %q", r.process.said.text())
	}
}

// An answer that nobody has asked for ends the process: it might be taken for that to the
// next question.
func TestAnswersThatNobodyAskedFor(t *testing.T) {
	r, c := across(t, &faulty{tokens: []tokenInfo{one(0)}})
	if _, err := r.slots(); err != nil {
		t.Fatal(err)
	}
	c.answer(7, &answer{numbers: []uint{1}})
	select {
	case <-r.process.over:
	case <-time.After(patient):
		t.Fatal("it goes on")
	}
	r.process.mu.Lock()
	defer r.process.mu.Unlock()
	if reason.Of(r.process.why) != reason.TokenCrashed {
		t.Errorf("%v", r.process.why)
	}
}

// Who may have to read what a PIN pad shows has more time, for a signature too.
func TestTimeAtThePad(t *testing.T) {
	r, _ := across(t, &faulty{tokens: []tokenInfo{one(flagPINPad), one(0)}})
	r.o.deadlines = Deadlines{Call: patient, Person: 2 * patient}
	for slot, want := range []time.Duration{2 * patient, patient} {
		if _, err := r.token(uint(slot)); err != nil {
			t.Fatal(err)
		}
		session, err := r.open(uint(slot), false)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.person(session); got != want {
			t.Errorf("slot %d: %s, want %s", slot, got, want)
		}
	}
}

// A library that does not start is not started for each operation.
func TestLibraryThatDoesNotStart(t *testing.T) {
	if !cgo {
		t.Skip("a program without cgo starts no libraries")
	}
	r := &remote{
		path: t.TempDir(), o: &options{deadlines: Deadlines{}.defaults()},
		sessions: make(map[uint]remoteSession), pads: make(map[uint]bool),
	}
	_, first := r.slots()
	if reason.Of(first) != reason.TokenModuleBad {
		t.Fatal(first)
	}
	r.retry = time.Now().Add(patient)      // a machine may be slow
	if _, err := r.slots(); err != first { //nolint:errorlint // it is the very same
		t.Errorf("%v", err)
	}
	before := time.Now()
	r.retry = before
	if _, err := r.slots(); err == first || reason.Of(err) != reason.TokenModuleBad { //nolint:errorlint // it is another one
		t.Errorf("after the pause: %v", err)
	}
	if !r.retry.After(before) {
		t.Error("there is no pause")
	}
}

// A session goes with its process: what was not asked before that was not lost by it.
func TestSessionsGoWithTheirProcess(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	r, _ := across(t, f)
	session, err := r.open(0, false)
	if err != nil {
		t.Fatal(err)
	}
	r.process.fail(reason.Errorf(reason.TokenTimeout, "another call"))
	if err := r.login(session, userOrdinary, []byte("1")); reason.Of(err) != reason.TokenSessionLost || f.logins != 0 {
		t.Errorf("%v; %d logins", err, f.logins)
	}
}
