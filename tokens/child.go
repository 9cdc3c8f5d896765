package tokens

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"propusk/pki/reason"
)

// childName is the name that a process with a library runs under; its only argument is
// the path of the library.
const childName = "propusk-token-library"

// serves notes that this program calls [ServeIfChild]: one that does not would run its
// own work again in place of a library, and so on for ever.
var serves atomic.Bool

// ServeIfChild is the first thing that main of a program that calls [Open] must call,
// and TestMain of its tests: [Open] runs the program again to have libraries in a
// process of their own. It returns at once in any other process, and never in such a
// one.
func ServeIfChild() {
	serves.Store(true)
	if len(os.Args) != 2 || os.Args[0] != childName {
		return
	}
	// What stops a service or comes from a terminal is for the parent, which may have
	// operations to finish; this process ends when its requests do.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	requests, answers, err := childPipes()
	if err != nil {
		os.Exit(1)
	}
	serve(os.Args[1], requests, answers, os.Exit)
}

// serve loads a library and does what it is asked, until there are no more requests.
func serve(path string, requests io.Reader, answers io.Writer, exit func(int)) {
	lib, err := load(path)
	hello := &answer{numbers: []uint{wireVersion}}
	if err != nil {
		hello.refuse(err)
	}
	c := &child{lib: lib, requests: requests, answers: answers, exit: exit}
	if c.answer(0, hello); err != nil {
		exit(1)
		return
	}
	// The parent has at most maxParallel requests at once, and one worker more sees it
	// go; those that wait cost nothing.
	var workers sync.WaitGroup
	for range maxParallel + 1 {
		workers.Go(c.work)
	}
	workers.Wait()
}

// child is a process with a library.
type child struct {
	lib      library
	requests io.Reader
	answers  io.Writer
	exit     func(int)

	reading, writing sync.Mutex
}

// work reads requests and answers them. The worker that reads a request answers it
// while another one reads on: nothing is handed over, and when the parent goes in the
// middle of a call that hangs, this process ends all the same.
func (c *child) work() {
	for {
		c.reading.Lock()
		id, body, err := readFrame(c.requests)
		c.reading.Unlock()
		if err != nil {
			c.exit(0) // the parent is gone, or has closed the library
			return
		}
		q, err := parseRequest(body)
		if err != nil {
			c.exit(1)
			return
		}
		var a answer
		if err := q.run(c.lib, &a); err != nil {
			a.refuse(err)
		}
		clear(body) // there may be a PIN in it
		c.answer(id, &a)
	}
}

// answer writes a frame at once.
func (c *child) answer(id uint32, a *answer) {
	b, err := frame(id, len(a.data), a.write)
	if err != nil {
		a.refuse(err)
		b, err = frame(id, 0, a.write)
	}
	if err == nil {
		c.writing.Lock()
		_, err = c.answers.Write(b)
		c.writing.Unlock()
	}
	clear(b) // there may be a key that was agreed on in it
	if err != nil {
		c.exit(1)
	}
}

// run does what a request asks for.
func (q *request) run(lib library, a *answer) (err error) {
	switch q.op {
	case opInfo:
		a.info, err = lib.info()
	case opSlots:
		a.numbers, err = lib.slots()
		a.numbers = a.numbers[:min(len(a.numbers), maxTokens)]
	case opToken:
		a.token, err = lib.token(q.on)
	case opMechanisms:
		a.mechanisms, err = lib.mechanisms(q.on)
	case opOpen:
		err = a.number(lib.open(q.on, q.flag))
	case opState:
		err = a.number(lib.state(q.on))
	case opLogin:
		err = lib.login(q.on, user(q.kind), q.pin(q.data))
	case opLogout:
		err = lib.logout(q.on)
	case opShut:
		err = lib.shut(q.on)
	case opFind:
		a.numbers, err = lib.find(q.on, q.template)
		a.numbers = a.numbers[:min(len(a.numbers), maxObjects)]
	case opAttribute:
		a.data, err = lib.attribute(q.on, q.object, q.kind)
	case opSign:
		a.data, err = lib.sign(q.on, q.mechanism, q.object, q.data)
	case opSignPIN:
		a.data, err = lib.signPIN(q.on, q.mechanism, q.object, q.data, q.pin(q.further))
	case opVerify:
		err = lib.verify(q.on, q.mechanism, q.object, q.data, q.further)
	case opCreate:
		err = a.number(lib.create(q.on, q.template))
	case opDestroy:
		err = lib.destroy(q.on, q.object)
	case opDerive:
		err = a.number(lib.derive(q.on, q.mechanism, q.object, q.template))
	case opGenerate:
		var public, private uint
		public, private, err = lib.generate(q.on, q.mechanism, q.template, q.second)
		a.numbers = []uint{public, private}
	case opClose:
		err = lib.close()
	default:
		err = reason.Errorf(reason.TokenFailed, "operation %d", q.op)
	}
	return err
}

// pin is nil where the PIN is entered on a pad; an empty one is none.
func (q *request) pin(pin []byte) []byte {
	if q.flag {
		return nil
	}
	if pin == nil {
		return []byte{}
	}
	return pin
}

func (a *answer) number(n uint, err error) error {
	a.numbers = []uint{n}
	return err
}
