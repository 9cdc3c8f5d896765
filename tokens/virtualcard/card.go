// Package virtualcard is smart cards in software for tests: a Rutoken ЭЦП as OpenSC sees
// it, with files, PINs and a key of GOST R 34.10-2012, and cards that only show an ATR.
// They speak the protocol of vsmartcard's vpcd, a driver of pcscd, so that everything
// above the reader is real; package pcsctest has the service to put them into.
//
// A card can be pulled out or hang in the middle of a given command.
//
// It is no token: keys are in memory and in the clear.
package virtualcard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"propusk/tokens/internal/iso7816"
)

// ATRs of cards that people have (answer-to-reset, ISO/IEC 7816-3), for [Shows].
const (
	ATRRutoken = "\x3B\x8B\x01Rutoken DS \xC1"
	ATRUEC     = "\x3B\x7C\x13\x00\x00\x80\x64\x11\x65\x01\x90\x73\x00\x00\x00\x81\x07"
	ATRJaCarta = "\x3B\xDC\x18\xFF\x81\x91\xFE\x1F\xC3\x80\x73\xC8\x21\x13\x66\x01\x06\x11\x59\x00\x01\x28"
	ATREToken  = "\x3B\xD5\x18\x00\x81\x31\x3A\x7D\x80\x73\xC8\x21\x10\x30"
)

// Command is a command APDU that a card was given.
type Command = iso7816.Command

// Interruption says what befalls a card instead of the answer to a command.
type Interruption uint8

// The interruptions.
const (
	None    Interruption = iota // it answers
	PullOut                     // it is out of the reader before it can do anything
	Hang                        // it says nothing until it is pulled out
)

// program is what a card runs. It is called by one goroutine at a time.
type program interface {
	reset()
	execute(c Command) iso7816.Response
}

// Card is a card. It is safe for concurrent use, but is in one reader at a time.
type Card struct {
	atr []byte

	mu        sync.Mutex
	program   program
	interrupt func(Command) Interruption
}

// ATR returns what the card says when it is powered.
func (c *Card) ATR() []byte { return slices.Clone(c.atr) }

// Interrupt makes the card ask f before it does a command; nil stops that. f is called
// by the goroutine of [Card.Serve], and may not call the card.
func (c *Card) Interrupt(f func(Command) Interruption) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupt = f
}

// Reset is what loss of power does: no PIN is entered and no file is selected.
func (c *Card) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.program.reset()
}

// Transmit does a command and returns the response, with its status word. What is no
// command is answered with 6700. There are no interruptions.
func (c *Card) Transmit(apdu []byte) []byte {
	command, err := iso7816.ParseCommand(apdu)
	if err != nil {
		return iso7816.Response{SW: iso7816.WrongLength}.Bytes()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.program.execute(command).Bytes()
}

// Controls of the protocol of vpcd: messages of one byte.
const (
	controlOff   = 0
	controlOn    = 1
	controlReset = 2
	controlATR   = 4
)

// errPulled says that the card left the reader as [PullOut] told it to.
var errPulled = errors.New("virtualcard: pulled out")

// Serve puts the card into the virtual reader at the other end of a connection and
// answers it until the connection ends, which is how a card is removed. It closes the
// connection. The error is nil when the other end closed it or the card was told to leave.
func (c *Card) Serve(conn net.Conn) error {
	defer conn.Close() // nothing is lost with a card that is out
	c.Reset()
	for {
		// The driver writes length and body apart: a delayed acknowledgement of the first
		// would cost 40 ms a command.
		quickAck(conn)
		message, err := receive(conn)
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("virtualcard: read from vpcd: %w", err)
		}
		answer, err := c.answer(conn, message)
		if errors.Is(err, errPulled) {
			return nil
		}
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		if _, err := conn.Write(frame(answer)); err != nil {
			return nil //nolint:nilerr // the reader is gone, and the card out of it
		}
	}
}

// receive reads a message: its length in two bytes, big-endian, and the body.
func receive(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head[:]))
	if len(body) == 0 {
		return nil, errors.New("empty message")
	}
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return body, nil
}

// frame writes a message.
func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

// answer does what a message wants; nil is no answer.
func (c *Card) answer(conn net.Conn, message []byte) ([]byte, error) {
	if len(message) == 1 {
		switch message[0] {
		case controlOff, controlOn, controlReset:
			c.Reset()
			return nil, nil
		case controlATR:
			return c.atr, nil
		default:
			return nil, fmt.Errorf("virtualcard: unknown control %02x of vpcd", message[0])
		}
	}
	switch c.interruption(message) {
	case PullOut:
		return nil, errPulled
	case Hang:
		_, err := io.Copy(io.Discard, conn) // until the other end, or ours, is closed
		return nil, errors.Join(errPulled, err)
	}
	return c.Transmit(message), nil
}

// interruption asks what is to happen to a command.
func (c *Card) interruption(apdu []byte) Interruption {
	c.mu.Lock()
	f := c.interrupt
	c.mu.Unlock()
	if f == nil {
		return None
	}
	command, err := iso7816.ParseCommand(apdu)
	if err != nil {
		return None
	}
	return f(command)
}

// Answer is what a card of [Shows] says to commands that start with some bytes.
type Answer struct {
	Command  []byte // the first bytes
	Response []byte // with the status word
}

// Shows returns a card that shows an ATR, gives the first answer that fits, and knows
// nothing else: no file (6A82) and no instruction (6D00).
func Shows(atr []byte, answers ...Answer) *Card {
	return &Card{atr: slices.Clone(atr), program: mime(answers)}
}

// mime is the program of a card of [Shows].
type mime []Answer

func (mime) reset() {}

func (m mime) execute(c Command) iso7816.Response {
	apdu := c.Bytes()
	for _, a := range m {
		if len(a.Command) <= len(apdu) && slices.Equal(a.Command, apdu[:len(a.Command)]) {
			if r, err := iso7816.ParseResponse(a.Response); err == nil {
				return r
			}
		}
	}
	if c.INS == insSelect {
		return iso7816.Response{SW: iso7816.NotFound}
	}
	return iso7816.Response{SW: iso7816.UnknownInstruction}
}
