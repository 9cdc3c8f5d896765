package virtualcard

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/tokens/internal/iso7816"
)

func newCard(t testing.TB, o Options) *Card {
	t.Helper()
	card, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

// sends sends a command, in hex, and wants an answer: hex of the data and the status
// word, or just the status word after "*".
func sends(t *testing.T, c *Card, command, want string) []byte {
	t.Helper()
	apdu, err := hex.DecodeString(command)
	if err != nil {
		t.Fatal(err)
	}
	got := c.Transmit(apdu)
	text := hex.EncodeToString(got)
	if rest, ok := bytes.CutPrefix([]byte(want), []byte("*")); ok {
		text, want = text[len(text)-4:], string(rest)
	}
	if text != want {
		t.Fatalf("%s is answered with %x, want %s", command, got, want)
	}
	return got[:len(got)-2]
}

// TestFacts has what a token tells without a PIN.
// Source: RUTOKEN-APDU.md, of a Рутокен ЭЦП 3.0: forms of the answers.
func TestFacts(t *testing.T) {
	c := newCard(t, Options{Serial: 0x2D6F4A31, Model: "Рутокен"})
	sends(t, c, "00CA018108", "000000002d6f4a319000")
	sends(t, c, "00CA010226", "6224850601"+"0680aa0000"+"82021000"+"83020002"+"8a0105"+"860f43010300000000ff00000000000000"+"9000")
	if name := sends(t, c, "00CA018580", "*9000"); len(name) != 128 || string(bytes.Trim(name, "\x00")) != "Рутокен" {
		t.Errorf("model %q", name)
	}
	sends(t, c, "00CA016200", "000000009000")
	sends(t, c, "00CA017B00", "6a88")
}

// TestVerify holds how tries go and when they do not.
func TestVerify(t *testing.T) {
	c := newCard(t, Options{Tries: 2})
	sends(t, c, "00200002", "63c2")
	sends(t, c, "00200002083030303030303030", "6300")
	sends(t, c, "00200002", "63c1")
	sends(t, c, "00200002083132333435363738", "9000")
	sends(t, c, "00200002083132333435363738", "6f86") // log out first
	if c.TriesLeft() != 2 || c.Presented() != 2 {
		t.Errorf("%d tries are left after %d PINs", c.TriesLeft(), c.Presented())
	}
	sends(t, c, "80400000", "9000")
	sends(t, c, "00200002083030303030303030", "6300")
	sends(t, c, "00200002083030303030303030", "6300")
	sends(t, c, "00200002", "6983")
	sends(t, c, "00200002083132333435363738", "6983")
	c.Unlock()
	sends(t, c, "00200002083132333435363738", "9000")
	sends(t, c, "00200009", "6a88")
}

// TestAccess holds that nothing is done without the PIN that it wants.
func TestAccess(t *testing.T) {
	key, err := gost3410.GenerateKey(gost3410.CryptoProB(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := newCard(t, Options{Key: key})
	digest := bytes.Repeat([]byte{7}, 32)
	sign := "002A9E9A20" + hex.EncodeToString(digest) + "40"
	sends(t, c, "002241B603840101", "9000")
	sends(t, c, sign, "6982")
	sends(t, c, "0024010208a506313131313131", "6982")
	sends(t, c, "00A408040450006002", "*9000")
	sends(t, c, "00B0000010", "*9000") // the directory of keys is for all to read
	sends(t, c, "00D6000001FF", "6982")
	sends(t, c, "00E40000", "6982")
	sends(t, c, "00468001", "6982") // a new key
	sends(t, c, "80590000", "6d00")
	sends(t, c, "84CA0181", "6e00")

	sends(t, c, "00200002083132333435363738", "9000")
	sends(t, c, "002241B603840101", "9000")
	signature := sends(t, c, sign, "*9000")
	slices.Reverse(signature)
	if !key.PublicKey().Verify(digest, signature) {
		t.Error("the signature is not of the key")
	}
	sends(t, c, "002A9E9A01AA40", "6700")
	sends(t, c, "002A808601AA40", "6a86")
	c.Reset()
	sends(t, c, "002241B603840101", "9000")
	sends(t, c, sign, "6982") // power was lost, and the PIN with it
	sends(t, c, "002241B603840109", "9000")
	sends(t, c, sign, "6a88")
}

// TestChain puts a command together from several.
func TestChain(t *testing.T) {
	c := newCard(t, Options{})
	sends(t, c, "102000020431323334", "9000")
	sends(t, c, "002000020435363738", "9000")
	sends(t, c, "80400000", "9000")
	sends(t, c, "102000020431323334", "9000")
	sends(t, c, "00CA018108", "6883")
	sends(t, c, "00CA018108", "*9000")
	for range maxChain / 255 {
		c.Transmit(append([]byte{0x10, 0x24, 1, 2, 255}, make([]byte, 255)...))
	}
	sends(t, c, "10240102FF"+hex.EncodeToString(make([]byte, 255)), "6700")
	if c.Presented() != 1 {
		t.Errorf("%d PINs were presented", c.Presented())
	}
}

// TestOptions refuses what a token cannot be.
func TestOptions(t *testing.T) {
	long, err := gost3410.GenerateKey(gost3410.TC26512A(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"a key of 512 bits":           {Key: long},
		"a short PIN":                 {PIN: []byte("12345")},
		"a short PIN of the officer":  {SOPIN: []byte("1234567")},
		"too many tries":              {Tries: 16},
		"a certificate without limit": {Certificate: make([]byte, maxMemory)},
		"a name that has no room":     {Label: string(make([]byte, 200))},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if c := newCard(t, Options{Blank: true}); c.TriesLeft() != 0 || len(c.PublicKeys()) != 0 {
		t.Error("a blank card has a PIN or a key")
	}
	sends(t, newCard(t, Options{Blank: true}), "00A40000023F00", "6a82")
}

// reader is the other end of a card in a reader.
type reader struct {
	t    *testing.T
	conn net.Conn
	done chan error
}

func insert(t *testing.T, c *Card) reader {
	t.Helper()
	card, conn := net.Pipe()
	r := reader{t, conn, make(chan error, 1)}
	go func() { r.done <- c.Serve(card) }()
	t.Cleanup(func() { conn.Close() })
	return r
}

func (r reader) send(message string) {
	r.t.Helper()
	if err := r.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.conn.Write(frame([]byte(message))); err != nil {
		r.t.Fatal(err)
	}
}

func (r reader) receive() string {
	r.t.Helper()
	answer, err := receive(r.conn)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(answer)
}

// TestServe speaks the protocol of vpcd.
func TestServe(t *testing.T) {
	c := newCard(t, Options{})
	r := insert(t, c)
	r.send("\x01")
	r.send("\x04")
	if got := r.receive(); got != ATRRutoken {
		t.Errorf("ATR %x", got)
	}
	r.send("\x00\x20\x00\x02\x0812345678")
	if got := r.receive(); got != "\x90\x00" {
		t.Errorf("PIN: %x", got)
	}
	r.send("\x02") // reset
	r.send("\x00\x20\x00\x02\x0812345678")
	if got := r.receive(); got != "\x90\x00" { // the PIN was forgotten
		t.Errorf("PIN after a reset: %x", got)
	}
	r.send("\x00\x20")
	if got := r.receive(); got != "\x67\x00" {
		t.Errorf("no command: %x", got)
	}
	r.conn.Close()
	if err := <-r.done; err != nil {
		t.Error(err)
	}

	r = insert(t, c)
	r.send("\x09")
	if err := <-r.done; err == nil {
		t.Error("an unknown control was taken")
	}
}

// TestInterruptions pulls a card out and hangs it.
func TestInterruptions(t *testing.T) {
	for _, what := range []Interruption{PullOut, Hang} {
		c := newCard(t, Options{})
		asked := make(chan Command, 1)
		c.Interrupt(func(command Command) Interruption { asked <- command; return what })
		r := insert(t, c)
		r.send("\x00\x20\x00\x02\x0800000000")
		if command := <-asked; command.INS != 0x20 {
			t.Errorf("asked about %+v", command)
		}
		if what == Hang {
			r.conn.Close()
		} else if _, err := r.conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("a card that was pulled out answers: %v", err)
		}
		if err := <-r.done; err != nil {
			t.Error(err)
		}
		if c.Presented() != 0 {
			t.Error("the command was done")
		}
	}
}

func TestShows(t *testing.T) {
	c := Shows([]byte(ATRJaCarta), Answer{[]byte{0x00, 0xA4, 0x04}, []byte{0x90, 0x00}})
	sends(t, c, "00A404000AA0000004480101010602", "9000")
	sends(t, c, "00A40000023F00", "6a82")
	sends(t, c, "00CA018108", "6d00")
	if string(c.ATR()) != ATRJaCarta || c.TriesLeft() != 0 || c.Presented() != 0 || c.PublicKeys() != nil {
		t.Errorf("%X", c.ATR())
	}
}

// FuzzTransmit sends a card anything, in pieces of the length that their first bytes
// say. It must answer each, keep its limits, and give no PIN away.
func FuzzTransmit(f *testing.F) {
	for _, apdus := range [][]string{
		{"\x00\xCA\x01\x81\x08"},
		{"\x00\xA4\x08\x04\x02\x50\x00\x00", "\x00\xA4\x00\x00\x00", "\x00\xA4\x00\x02\x02\x50\x31\x00", "\x00\xA4\x03\x00\x00"},
		{"\x00\x20\x00\x02\x0812345678", "\x00\x22\x41\xB6\x03\x84\x01\x01", "\x00\x46\x80\x01\x00"},
		{"\x80\x8A\x00\x00", "\x00\xE0\x00\x00\x1F\x62\x1D\x80\x02\x00\x00\x82\x02\x38\x00\x83\x02\x3F\x00\x86\x0F\x43\x02\x02\x00\x00\x00\x00\xFF\x00\x00\x00\x00\x00\x00\x00"},
		{"\x10\x24\x01\x02\x04\x80\x02\x00\x06", "\x00\x24\x01\x02\x08\xA5\x06111111"},
	} {
		var seed []byte
		for _, apdu := range apdus {
			seed = append(seed, frame([]byte(apdu))...)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newCard(t, Options{})
		for len(b) >= 2 {
			n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
			apdu := b[2 : 2+n]
			b = b[2+n:]
			answer, err := iso7816.ParseResponse(c.Transmit(apdu))
			if err != nil || answer.SW != iso7816.OK && len(answer.Data) != 0 {
				t.Fatalf("%x is answered with %+v, %v", apdu, answer, err)
			}
			if r := c.rutoken(); r.mf != nil && r.mf.memory() > maxMemory+1<<16 {
				t.Fatalf("%d bytes are in the card", r.mf.memory())
			}
		}
	})
}
