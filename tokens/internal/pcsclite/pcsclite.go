//go:build unix

// Package pcsclite is a client of pcscd, the PC/SC service of Linux and other Unix
// systems, over its socket.
//
// It speaks version 4.4 of the protocol, that of pcsc-lite 1.8.24 (2018) to 2.2, which
// later ones take too, and 4.5 of 2.3. libpcsclite does the same in C; this package is
// there so that programs need neither cgo nor the library. The structures are in
// src/winscard_msg.h and src/eventhandler.h of pcsc-lite: numbers of 32 bits in the
// order of the machine.
package pcsclite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"propusk/tokens/internal/iso7816"
)

// defaultSocket is where pcscd listens; the variable names another place, as it does for
// libpcsclite.
const (
	defaultSocket  = "/run/pcscd/pcscd.comm"
	SocketVariable = "PCSCLITE_CSOCK_NAME"
)

// Socket returns the path of the socket of this process's pcscd.
func Socket() string {
	if path := os.Getenv(SocketVariable); path != "" {
		return path
	}
	return defaultSocket
}

// Commands.
const (
	cmdEstablish   = 0x01
	cmdConnect     = 0x04
	cmdDisconnect  = 0x06
	cmdBegin       = 0x07
	cmdEnd         = 0x08
	cmdTransmit    = 0x09
	cmdVersion     = 0x11
	cmdReaders     = 0x12
	cmdWait        = 0x13
	cmdStopWaiting = 0x14
	versionMajor   = 4
	versionMinor   = 4
	versionHighest = 5 // the later one that needs to hear its own number
)

// Sizes of the structures.
const (
	maxReaders    = 16
	maxName       = 128
	maxATR        = 33
	readerSize    = maxName + 4 + 4 + 4 + 36 + 4 + 4 // the ATR is padded to 36
	offsetState   = maxName + 4
	offsetSharing = maxName + 8
	offsetATR     = maxName + 12
	offsetATRSize = maxName + 48
)

// Code is an answer of the service that is not success.
type Code uint32

// The codes that are told apart; PC/SC has the names.
const (
	ErrSharing        Code = 0x8010000B // SCARD_E_SHARING_VIOLATION
	ErrNoCard         Code = 0x8010000C // SCARD_E_NO_SMARTCARD
	ErrUnknownReader  Code = 0x80100009 // SCARD_E_UNKNOWN_READER
	ErrServiceStopped Code = 0x8010001E // SCARD_E_SERVICE_STOPPED
	ErrNotTransacted  Code = 0x80100016 // SCARD_E_NOT_TRANSACTED
	ErrUnpowered      Code = 0x80100067 // SCARD_W_UNPOWERED_CARD
	ErrReset          Code = 0x80100068 // SCARD_W_RESET_CARD
	ErrRemoved        Code = 0x80100069 // SCARD_W_REMOVED_CARD
	ErrUnresponsive   Code = 0x80100066 // SCARD_W_UNRESPONSIVE_CARD
	ErrUnavailable    Code = 0x80100017 // SCARD_E_READER_UNAVAILABLE
)

// Error names the code as PC/SC does.
func (c Code) Error() string {
	names := map[Code]string{
		ErrSharing: "another program holds the card", ErrNoCard: "no card", ErrUnknownReader: "unknown reader",
		ErrServiceStopped: "the service speaks another version", ErrUnpowered: "the card has no power", ErrReset: "the card was reset",
		ErrRemoved: "the card was removed", ErrUnresponsive: "the card does not answer", ErrUnavailable: "the reader is gone",
		ErrNotTransacted: "no transaction",
	}
	if name, ok := names[c]; ok {
		return fmt.Sprintf("pcscd: %s (%08X)", name, uint32(c))
	}
	return fmt.Sprintf("pcscd: error %08X", uint32(c))
}

// Reader is a reader as the service knows it.
type Reader struct {
	Name    string
	Events  uint32 // counts insertions and removals
	Present bool   // a card is in it
	Mute    bool   // which does not answer
	InUse   bool   // somebody is connected to it
	ATR     []byte // of the card; nil while it is not known
}

// Bits of the state of a reader.
const (
	stateAbsent    = 0x02
	statePresent   = 0x04
	stateSwallowed = 0x08
)

// Client is a connection to the service. It is not safe for concurrent use. The context
// that it was made with ends it: what waits then fails with the context's error.
type Client struct {
	conn net.Conn
	ctx  context.Context
	stop func() bool
}

// Dial connects to the service at a socket. The client must be closed. An error that is
// fs.ErrNotExist or syscall.ECONNREFUSED means that none is running.
func Dial(ctx context.Context, socket string) (*Client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, ctx: ctx}
	c.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // it is closed anyway
	if err := c.version(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close ends the connection, and what the service holds for it.
func (c *Client) Close() error {
	c.stop()
	return c.conn.Close()
}

// failed gives the error of the context where that is the cause.
func (c *Client) failed(err error) error {
	if err != nil && c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	return err
}

// send writes a command and what belongs to it.
func (c *Client) send(command uint32, body ...[]byte) error {
	first := 0
	if len(body) != 0 {
		first = len(body[0]) // the size is that of the structure only
	}
	message := binary.NativeEndian.AppendUint32(nil, uint32(first))
	message = binary.NativeEndian.AppendUint32(message, command)
	_, err := c.conn.Write(append(message, bytes.Join(body, nil)...))
	return c.failed(err)
}

// receive reads an answer of n bytes.
func (c *Client) receive(n int) ([]byte, error) {
	answer := make([]byte, n)
	_, err := io.ReadFull(c.conn, answer)
	return answer, c.failed(err)
}

// call sends a structure and reads it back, as the service filled it in. Its last number
// is the code.
func (c *Client) call(command uint32, body []byte, more ...[]byte) ([]byte, error) {
	if err := c.send(command, append([][]byte{body}, more...)...); err != nil {
		return nil, err
	}
	answer, err := c.receive(len(body))
	if err != nil {
		return nil, err
	}
	if code := Code(number(answer, len(answer)-4)); code != 0 {
		return answer, code
	}
	return answer, nil
}

// numbers writes numbers.
func numbers(all ...uint32) []byte {
	var b []byte
	for _, n := range all {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	return b
}

// number reads the number at an offset.
func number(b []byte, offset int) uint32 { return binary.NativeEndian.Uint32(b[offset:]) }

// version agrees on the version of the protocol.
func (c *Client) version() error {
	answer, err := c.call(cmdVersion, numbers(versionMajor, versionMinor, 0))
	if errors.Is(err, ErrServiceStopped) && number(answer, 0) == versionMajor && number(answer, 4) == versionHighest {
		_, err = c.call(cmdVersion, numbers(versionMajor, versionHighest, 0))
	}
	if errors.Is(err, ErrServiceStopped) {
		return fmt.Errorf("pcscd speaks version %d.%d: %w", number(answer, 0), number(answer, 4), err)
	}
	return err
}

// Readers returns the readers as they are now.
func (c *Client) Readers() ([]Reader, error) {
	if err := c.send(cmdReaders); err != nil {
		return nil, err
	}
	return c.readers()
}

// Register returns the readers as they are now and makes [Client.Wait] wait for what
// changes after that.
func (c *Client) Register() ([]Reader, error) {
	if err := c.send(cmdWait); err != nil {
		return nil, err
	}
	return c.readers()
}

// Wait waits until something has changed since [Client.Register].
func (c *Client) Wait() error {
	answer, err := c.receive(8)
	if err != nil {
		return err
	}
	if code := Code(number(answer, 4)); code != 0 {
		return code
	}
	return nil
}

// Unregister undoes [Client.Register]. Other calls than Wait and Unregister are not
// allowed between.
func (c *Client) Unregister() error {
	if err := c.send(cmdStopWaiting); err != nil {
		return err
	}
	// If something has changed in the meantime, its message is the answer: the service
	// sends no other to who is no longer registered.
	return c.Wait()
}

func (c *Client) readers() ([]Reader, error) {
	answer, err := c.receive(maxReaders * readerSize)
	if err != nil {
		return nil, err
	}
	return parseReaders(answer)
}

// parseReaders reads the states of readers.
func parseReaders(answer []byte) ([]Reader, error) {
	if len(answer) != maxReaders*readerSize {
		return nil, errors.New("pcscd: wrong length of the states of readers")
	}
	var all []Reader
	for b := range slices.Chunk(answer, readerSize) {
		name, _, ended := bytes.Cut(b[:maxName], []byte{0})
		if len(name) == 0 {
			continue
		}
		state, size := number(b, offsetState), number(b, offsetATRSize)
		if !ended || size > maxATR {
			return nil, errors.New("pcscd: the state of a reader makes no sense")
		}
		r := Reader{Name: string(name), Events: number(b, maxName)}
		r.Present = state&statePresent != 0 && state&stateAbsent == 0
		r.Mute = r.Present && state&stateSwallowed != 0
		r.InUse = r.Present && number(b, offsetSharing) != 0
		if r.Present && size != 0 {
			r.ATR = slices.Clone(b[offsetATR : offsetATR+size])
		}
		all = append(all, r)
	}
	return all, nil
}

// Card is a card that commands can be sent to. It is not safe for concurrent use, nor
// together with its client.
type Card struct {
	client   *Client
	handle   uint32
	protocol uint32
}

// Connect reaches the card in a reader, which other programs may use too, and keeps them
// out until [Card.Close].
func (c *Client) Connect(reader string) (*Card, error) {
	const shared, anyProtocol = 2, 3
	if len(reader) >= maxName {
		return nil, ErrUnknownReader
	}
	answer, err := c.call(cmdEstablish, numbers(2, 0, 0))
	if err != nil {
		return nil, err
	}
	scope := number(answer, 4)
	name := make([]byte, maxName)
	copy(name, reader)
	request := slices.Concat(numbers(scope), name, numbers(shared, anyProtocol, 0, 0, 0))
	if answer, err = c.call(cmdConnect, request); err != nil {
		return nil, err
	}
	card := &Card{client: c, handle: number(answer, maxName+12), protocol: number(answer, maxName+16)}
	if err := card.begin(); err != nil {
		return nil, errors.Join(err, card.leave())
	}
	return card, nil
}

// held is how long another program may hold the card before this one gives up: its
// commands take some tenths of a second, making a key some seconds.
const held = 10 * time.Second

// begin keeps other programs out, after they have finished what they do.
func (k *Card) begin() error {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for start := time.Now(); ; {
		_, err := k.client.call(cmdBegin, numbers(k.handle, 0))
		if !errors.Is(err, ErrSharing) || time.Since(start) > held {
			return err
		}
		select {
		case <-ticks.C:
		case <-k.client.ctx.Done():
			return context.Cause(k.client.ctx)
		}
	}
}

// leaveCard means that the card is left as it is for whoever else uses it.
const leaveCard = 0

func (k *Card) leave() error {
	_, err := k.client.call(cmdDisconnect, numbers(k.handle, leaveCard, 0))
	return err
}

// Release lets others use the card too, until it is closed.
func (k *Card) Release() error {
	_, err := k.client.call(cmdEnd, numbers(k.handle, leaveCard, 0))
	return err
}

// Close lets go of the card.
func (k *Card) Close() error {
	err := k.Release()
	return errors.Join(err, k.leave())
}

// Transmit sends a command and returns the response.
func (k *Card) Transmit(apdu []byte) ([]byte, error) {
	const header = 8 // of a structure that nobody reads
	answer, err := k.client.call(cmdTransmit,
		numbers(k.handle, k.protocol, header, uint32(len(apdu)), 3, header, iso7816.MaxResponse, 0), apdu)
	if err != nil {
		return nil, err
	}
	size := number(answer, 24)
	if size > iso7816.MaxResponse {
		return nil, errors.New("pcscd: the response is too long")
	}
	return k.client.receive(int(size))
}
