// Package iso7816 reads and writes the commands, responses and data objects of ISO/IEC
// 7816-4 that a card and a reader exchange.
//
// Everything is strict: a command or a list of data objects that is read is written back
// as the same bytes. Nothing here is safe to be changed by two goroutines at once.
package iso7816

import (
	"encoding/binary"
	"errors"
)

// Sizes in bytes.
const (
	// MaxCommand is the longest command: header, extended Lc, data, extended Le.
	MaxCommand = 4 + 3 + maxExtended + 2
	// MaxResponse is the longest response: data and the status word.
	MaxResponse = 65536 + 2

	maxShort    = 255
	maxExtended = 65535
)

// A Command is a command APDU (ISO/IEC 7816-4, 5.1).
type Command struct {
	CLA, INS, P1, P2 byte

	// Data is what the command carries, at most 65535 bytes.
	Data []byte

	// Le is how many bytes of answer are expected at most: 0 for none, up to 256 in a
	// short command and 65536 in an extended one.
	Le int

	// Extended says that the lengths are written with two bytes even where one would
	// do.
	Extended bool
}

// ErrCommand says that bytes are no command.
var ErrCommand = errors.New("iso7816: not a command")

// ErrResponse says that bytes are no response.
var ErrResponse = errors.New("iso7816: not a response")

// ParseCommand reads a command. Its data is a part of the slice that was given. The
// error is [ErrCommand].
func ParseCommand(apdu []byte) (Command, error) {
	if len(apdu) < 4 || len(apdu) > MaxCommand {
		return Command{}, ErrCommand
	}
	c := Command{CLA: apdu[0], INS: apdu[1], P1: apdu[2], P2: apdu[3]}
	body := apdu[4:]
	switch {
	case len(body) == 0: // case 1
		return c, nil
	case len(body) == 1: // case 2 short
		c.Le = lengthExpected(int(body[0]), 256)
		return c, nil
	case body[0] != 0:
		return c.short(body)
	default:
		return c.extended(body)
	}
}

// lengthExpected gives an Le of zero its meaning.
func lengthExpected(written, most int) int {
	if written == 0 {
		return most
	}
	return written
}

// short reads the body of cases 3 and 4.
func (c Command) short(body []byte) (Command, error) {
	n, rest := int(body[0]), body[1:]
	switch len(rest) {
	case n:
	case n + 1:
		c.Le = lengthExpected(int(rest[n]), 256)
	default:
		return Command{}, ErrCommand
	}
	c.Data = rest[:n:n]
	return c, nil
}

// extended reads a body that starts with the zero byte of extended lengths.
func (c Command) extended(body []byte) (Command, error) {
	if len(body) < 3 {
		return Command{}, ErrCommand
	}
	c.Extended = true
	n, rest := int(binary.BigEndian.Uint16(body[1:])), body[3:]
	if len(rest) == 0 { // case 2
		c.Le = lengthExpected(n, 65536)
		return c, nil
	}
	if n == 0 {
		return Command{}, ErrCommand
	}
	switch len(rest) {
	case n:
	case n + 2:
		c.Le = lengthExpected(int(binary.BigEndian.Uint16(rest[n:])), 65536)
	default:
		return Command{}, ErrCommand
	}
	c.Data = rest[:n:n]
	return c, nil
}

// Bytes writes the command. It panics if the data or Le are longer than there is room
// for: who builds a command knows how long it is.
func (c Command) Bytes() []byte {
	if len(c.Data) > maxExtended || c.Le < 0 || c.Le > 65536 {
		panic("iso7816: command too long")
	}
	out := []byte{c.CLA, c.INS, c.P1, c.P2}
	extended := c.Extended || len(c.Data) > maxShort || c.Le > 256
	if !extended {
		if len(c.Data) != 0 {
			out = append(append(out, byte(len(c.Data))), c.Data...)
		}
		if c.Le != 0 {
			out = append(out, byte(c.Le))
		}
		return out
	}
	if len(c.Data) != 0 || c.Le != 0 {
		out = append(out, 0)
	}
	if len(c.Data) != 0 {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(c.Data))), c.Data...)
	}
	if c.Le != 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(c.Le))
	}
	return out
}

// A Response is a response APDU (ISO/IEC 7816-4, 5.1).
type Response struct {
	Data []byte
	SW   Status
}

// Status is the status word SW1-SW2 that ends a response (ISO/IEC 7816-4, 5.6).
type Status uint16

// Status words that are told apart.
const (
	OK                 Status = 0x9000
	VerificationFailed Status = 0x6300 // the low nibble of 63Cx says how many tries are left
	WrongLength        Status = 0x6700
	ChainingBroken     Status = 0x6883
	SecurityStatus     Status = 0x6982
	Blocked            Status = 0x6983
	ConditionsOfUse    Status = 0x6985
	NoCurrentFile      Status = 0x6986
	WrongData          Status = 0x6A80
	NotFound           Status = 0x6A82
	NoMemory           Status = 0x6A84
	WrongParameters    Status = 0x6A86
	NoReference        Status = 0x6A88
	Exists             Status = 0x6A89
	WrongOffset        Status = 0x6B00
	UnknownInstruction Status = 0x6D00
	UnknownClass       Status = 0x6E00
	Failure            Status = 0x6F00
)

// Tries returns how many tries of a PIN are left, if the status says so.
func (s Status) Tries() (int, bool) {
	return int(s & 0x0F), s&0xFFF0 == 0x63C0
}

// ParseResponse reads a response. Its data is a part of the slice that was given. The
// error is [ErrResponse].
func ParseResponse(b []byte) (Response, error) {
	n := len(b) - 2
	if n < 0 || len(b) > MaxResponse {
		return Response{}, ErrResponse
	}
	return Response{Data: b[:n:n], SW: Status(binary.BigEndian.Uint16(b[n:]))}, nil
}

// Bytes writes the response.
func (r Response) Bytes() []byte {
	out := make([]byte, 0, len(r.Data)+2)
	return binary.BigEndian.AppendUint16(append(out, r.Data...), uint16(r.SW))
}
