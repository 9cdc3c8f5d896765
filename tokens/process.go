package tokens

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"propusk/pki/reason"
)

// process is a child with a library: see [child] for the other end.
type process struct {
	requests *os.File
	answers  *os.File
	stderr   *os.File
	kill     func()
	said     *tail
	over     chan struct{} // closed when no answer can come any more
	left     chan struct{} // closed when the process has gone
	drained  chan struct{} // closed when all that it said was read
	state    string        // how it went, after left

	writing sync.Mutex

	mu      sync.Mutex
	why     error                   // why it is over
	next    uint32                  // number of the last request
	waiting map[uint32]chan *answer // who waits for an answer
}

// startProcess runs a library in a child.
func startProcess(path string, o *options) (*process, error) {
	if !serves.Load() {
		return nil, reason.Errorf(reason.TokenModuleBad, "main of this program does not call tokens.ServeIfChild")
	}
	p := &process{
		said: &tail{}, over: make(chan struct{}), left: make(chan struct{}), drained: make(chan struct{}), waiting: make(map[uint32]chan *answer),
	}
	if err := p.run(path, o); err != nil {
		return nil, reason.New(reason.TokenModuleBad, err)
	}
	hello := make(chan *answer, 1)
	p.waiting[0] = hello
	go p.drain()
	a, err := p.wait(0, hello, o.deadlines.Start, func() {})
	if err == nil && (len(a.numbers) != 1 || a.numbers[0] != wireVersion) {
		err = reason.New(reason.TokenModuleBad, errWire)
	}
	if err != nil {
		p.fail(err)
		return nil, err
	}
	return p, nil
}

// run starts the child.
func (p *process) run(path string, o *options) error {
	program, err := executable()
	if err != nil {
		return err
	}
	var ours, theirs []*os.File
	closeAll := func(files []*os.File) {
		for _, f := range files {
			_ = f.Close() // nothing was written to it
		}
	}
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(ours, theirs...))
			return err
		}
		if i == 0 {
			r, w = w, r // requests go the other way
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	cmd := &exec.Cmd{
		Path: program, Args: []string{childName, path}, Env: o.childEnvironment(),
		Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2], SysProcAttr: attributesOfChild(),
	}
	p.requests, p.answers, p.stderr = ours[0], ours[1], ours[2]
	started := make(chan error)
	go p.live(cmd, started)
	err = <-started
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
	}
	return err
}

// drain reads what the child answers and prints, until there is no more.
func (p *process) drain() {
	defer close(p.drained)
	var both sync.WaitGroup
	both.Go(p.read)
	both.Go(func() { _, _ = io.Copy(p.said, p.stderr) }) // what cannot be read is not told
	both.Wait()
}

// live starts the child and stays with it until it has gone, on one thread: on Linux
// the child goes when the thread goes that started it.
func (p *process) live(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	p.kill = func() { _ = cmd.Process.Kill() } // an error is that it has gone already
	started <- err
	if err != nil {
		return
	}
	_ = cmd.Wait() // the state says it
	p.state = cmd.ProcessState.String()
	close(p.left)
	// What it said last is still in the pipes, unless somebody else holds them too: what
	// the library has started.
	select {
	case <-p.drained:
	case <-time.After(time.Second):
	}
	p.fail(p.crashed())
	// That one may live for ever, and nobody is to read what it prints.
	_, _ = p.answers.Close(), p.stderr.Close() // only read from
}

// crashed is the error of a process that went by itself.
func (p *process) crashed() error {
	said := p.said.text()
	if said != "" {
		said = ": " + said
	}
	return reason.Errorf(reason.TokenCrashed, "the process of the library ended, %s%s", p.state, said)
}

// fail ends the process; the first reason is the one that everybody is told.
func (p *process) fail(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why != nil {
		return
	}
	p.why = why
	close(p.over)
	p.kill()
	_ = p.requests.Close() // ends a write that hangs
}

// read takes answers in.
func (p *process) read() {
	in := bufio.NewReader(p.answers)
	for {
		id, body, err := readFrame(in)
		if err == nil {
			var a *answer
			if a, err = parseAnswer(body); err == nil {
				err = p.deliver(id, a)
			}
		}
		switch {
		case errors.Is(err, errWire):
			p.fail(reason.New(reason.TokenCrashed, err))
			return
		case err != nil:
			// It goes, or has closed its pipes and is of no use.
			p.kill()
			return
		}
	}
}

// deliver gives an answer to who waits for it.
func (p *process) deliver(id uint32, a *answer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, ok := p.waiting[id]
	if !ok {
		return errWire
	}
	delete(p.waiting, id)
	to <- a // there is room for one
	return nil
}

// call sends a request, and waits for the answer at most as long as said: then the
// process is ended.
func (p *process) call(q *request, deadline time.Duration) (*answer, error) {
	if q.op == opLogin || q.op == opSignPIN {
		p.said.mute()
	}
	to := make(chan *answer, 1)
	p.mu.Lock()
	p.next++
	if p.next == 0 {
		p.next++
	}
	id := p.next
	p.mu.Unlock()
	b, err := frame(id, len(q.data)+len(q.further), q.write)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.waiting[id] = to
	p.mu.Unlock()
	return p.wait(id, to, deadline, func() {
		p.writing.Lock()
		defer p.writing.Unlock()
		if _, err := p.requests.Write(b); err != nil {
			p.kill() // nobody reads: it goes, and that is what is told
		}
		clear(b)
	})
}

func (p *process) late(deadline time.Duration) error {
	return reason.Errorf(reason.TokenTimeout, "the library did not answer within %s", deadline)
}

// wait sends a request and waits for the answer, and ends the process if both take too
// long.
func (p *process) wait(id uint32, to <-chan *answer, deadline time.Duration, send func()) (*answer, error) {
	timer := time.AfterFunc(deadline, func() { p.fail(p.late(deadline)) })
	defer timer.Stop()
	send()
	select {
	case a := <-to:
		return a, a.err()
	case <-p.over:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
	select {
	case a := <-to: // it came just before
		return a, a.err()
	default:
		return nil, p.why
	}
}

// alive reports whether requests can be sent.
func (p *process) alive() bool {
	select {
	case <-p.over:
		return false
	default:
		return true
	}
}

// maxSaid is how much is kept of what a library prints, in bytes.
const maxSaid = 1 << 10

// tail keeps the beginning of what a process prints, for the error that tells of its
// end. From the first PIN on it keeps nothing: libraries that print what they are
// called with have been seen.
type tail struct {
	mu    sync.Mutex
	said  []byte
	muted bool
}

func (t *tail) mute() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said, t.muted = nil, true
}

// Write implements io.Writer and takes everything.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.muted {
		t.said = append(t.said, b[:min(len(b), maxSaid-len(t.said))]...)
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return clean(strings.ReplaceAll(strings.TrimSpace(string(t.said)), "\n", "; "))
}
