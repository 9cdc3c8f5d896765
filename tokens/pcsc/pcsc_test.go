//go:build linux

package pcsc

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens/internal/pcsclite"
	"propusk/tokens/pcsctest"
	"propusk/tokens/virtualcard"
)

// patience is how long an event may take: much more than it does.
const patience = time.Minute

func rutoken(t *testing.T, o virtualcard.Options) *virtualcard.Card {
	t.Helper()
	card, err := virtualcard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

func TestList(t *testing.T) {
	s := pcsctest.Start(t)
	s.Insert(rutoken(t, virtualcard.Options{}))
	readers, err := List(t.Context())
	if err != nil || len(readers) != 2 {
		t.Fatalf("%+v, %v", readers, err)
	}
	if r := readers[0]; r.Name != pcsctest.Reader0 || !r.Present || r.Mute || r.InUse || string(r.ATR) != virtualcard.ATRRutoken {
		t.Errorf("%+v", r)
	}
	if r := readers[1]; r.Name != pcsctest.Reader1 || r.Present || r.ATR != nil {
		t.Errorf("%+v", r)
	}
}

// watched collects events.
type watched struct {
	t      *testing.T
	events <-chan Event
}

func (w watched) next(kind Kind, reader string) Event {
	w.t.Helper()
	select {
	case e := <-w.events:
		if e.Kind != kind || e.Reader != reader {
			w.t.Fatalf("%v of %q, want %v of %q", e.Kind, e.Reader, kind, reader)
		}
		return e
	case <-time.After(patience):
		w.t.Fatalf("no event: want %v of %q", kind, reader)
		return Event{}
	}
}

// TestWatch sees cards come, go and change, and the service end and start again.
func TestWatch(t *testing.T) {
	s := pcsctest.Start(t)
	s.Insert(rutoken(t, virtualcard.Options{}))
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, err := Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w := watched{t, events}
	w.next(ReaderAdded, pcsctest.Reader0)
	if e := w.next(Inserted, pcsctest.Reader0); string(e.ATR) != virtualcard.ATRRutoken {
		t.Errorf("ATR %X", e.ATR)
	}
	w.next(ReaderAdded, pcsctest.Reader1)

	s.Remove()
	w.next(Removed, pcsctest.Reader0)
	s.InsertAt(1, virtualcard.Shows([]byte(virtualcard.ATRUEC)))
	if e := w.next(Inserted, pcsctest.Reader1); string(e.ATR) != virtualcard.ATRUEC {
		t.Errorf("ATR %X", e.ATR)
	}
	s.InsertAt(1, virtualcard.Shows([]byte(virtualcard.ATRJaCarta)))
	w.next(Removed, pcsctest.Reader1)
	if e := w.next(Inserted, pcsctest.Reader1); string(e.ATR) != virtualcard.ATRJaCarta {
		t.Errorf("ATR %X", e.ATR)
	}

	s.Stop()
	w.next(ReaderGone, pcsctest.Reader0)
	w.next(Removed, pcsctest.Reader1)
	w.next(ReaderGone, pcsctest.Reader1)
	if e := w.next(ServiceGone, ""); !errors.Is(e.Err, reason.ReaderServiceAbsent) {
		t.Errorf("the service is gone for %v", e.Err)
	}
	s.Resume()
	w.next(ServiceBack, "")

	cancel()
	for range events { // the readers may have been found before
	}
	ended(t, before)
}

// ended waits until what a test started is gone.
func ended(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestNoService is a machine without pcscd: a reason, and a watch that waits for it.
func TestNoService(t *testing.T) {
	t.Setenv(pcsclite.SocketVariable, filepath.Join(t.TempDir(), "none"))
	if _, err := List(t.Context()); !errors.Is(err, reason.ReaderServiceAbsent) {
		t.Errorf("List: %v", err)
	}
	if _, err := Identify(t.Context(), ""); !errors.Is(err, reason.ReaderServiceAbsent) {
		t.Errorf("Identify: %v", err)
	}
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, err := Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if e := (watched{t, events}).next(ServiceGone, ""); !errors.Is(e.Err, reason.ReaderServiceAbsent) {
		t.Errorf("the service is gone for %v", e.Err)
	}
	cancel()
	if _, open := <-events; open {
		t.Error("an event after the end")
	}
	ended(t, before)
}

func TestIdentifyRutoken(t *testing.T) {
	s := pcsctest.Start(t)
	card := rutoken(t, virtualcard.Options{Serial: 0x2D6F4A31, Model: "Рутокен ЭЦП 3.0 5100 Flash", Tries: 7})
	card.Transmit([]byte("\x00\x20\x00\x02\x0800000000")) // one wrong PIN
	s.Insert(card)
	id, err := Identify(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if id.Family != RutokenECP || !id.GOST || id.Model != "Рутокен ЭЦП 3.0 5100 Flash" || id.Serial != "2d6f4a31" || id.FreeMemory == 0 || id.MustChange {
		t.Errorf("%+v", id)
	}
	if want := (PIN{Known: true, Factory: true, MinLength: 6, Tries: 7, Left: 6}); id.User != want {
		t.Errorf("user's PIN %+v, want %+v", id.User, want)
	}
	if want := (PIN{Known: true, Factory: true, MinLength: 8, Tries: 10, Left: 10}); id.Officer != want {
		t.Errorf("officer's PIN %+v, want %+v", id.Officer, want)
	}
	if card.TriesLeft() != 6 || card.Presented() != 1 {
		t.Errorf("%d tries are left, and %d PINs were presented", card.TriesLeft(), card.Presented())
	}
}

// TestIdentifyByApplet asks cards whose ATR says little.
func TestIdentifyByApplet(t *testing.T) {
	s := pcsctest.Start(t)
	applet := virtualcard.Answer{Command: []byte("\x00\xA4\x04\x00\x0A\xA0\x00\x00\x04\x48\x01\x01\x01\x06\x02"), Response: []byte("\x90\x00")}
	for _, c := range []struct {
		name   string
		card   *virtualcard.Card
		family Family
		gost   bool
	}{
		{"JaCarta with ГОСТ", virtualcard.Shows([]byte(virtualcard.ATRJaCarta), applet), JaCarta, true},
		{"JaCarta PKI", virtualcard.Shows([]byte(virtualcard.ATRJaCarta)), JaCarta, false},
		{"eToken ГОСТ", virtualcard.Shows([]byte(virtualcard.ATREToken), applet), ETokenJava, true},
		{"УЭК", virtualcard.Shows([]byte(virtualcard.ATRUEC)), UEC, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Insert(c.card)
			id, err := Identify(t.Context(), pcsctest.Reader0)
			if err != nil || id.Family != c.family || id.GOST != c.gost || id.Unasked {
				t.Errorf("%+v, %v", id, err)
			}
		})
	}

	// A program that has the JaCarta open keeps its applet.
	s.Insert(virtualcard.Shows([]byte(virtualcard.ATRJaCarta), applet))
	client, err := pcsclite.Dial(t.Context(), s.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	other, err := client.Connect(pcsctest.Reader0)
	if err != nil {
		t.Fatal(err)
	}
	// It is between two transactions, as a library with a session is.
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
	id, err := Identify(t.Context(), pcsctest.Reader0)
	if err != nil || !id.Unasked || id.GOST {
		t.Errorf("%+v, %v", id, err)
	}
}

func TestIdentifyNothing(t *testing.T) {
	s := pcsctest.Start(t)
	if _, err := Identify(t.Context(), pcsctest.Reader0); !errors.Is(err, reason.TokenAbsent) {
		t.Errorf("an empty reader: %v", err)
	}
	if _, err := Identify(t.Context(), "none"); !errors.Is(err, reason.ReaderAbsent) {
		t.Errorf("no reader: %v", err)
	}
	card := rutoken(t, virtualcard.Options{})
	s.Insert(card)
	card.Interrupt(func(virtualcard.Command) virtualcard.Interruption { return virtualcard.PullOut })
	if _, err := Identify(t.Context(), ""); err == nil {
		t.Error("a card that was pulled out has told who it is")
	}
	s.Remove()
	card.Interrupt(func(virtualcard.Command) virtualcard.Interruption { return virtualcard.Hang })
	s.Insert(card)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	card.Interrupt(func(virtualcard.Command) virtualcard.Interruption { cancel(); return virtualcard.Hang })
	if _, err := Identify(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while the card hangs: %v", err)
	}
}

func TestReadersOfService(t *testing.T) {
	if family, ok := FamilyOfReader("Aktiv Rutoken ECP 00 00"); !ok || family != RutokenECP {
		t.Errorf("%v, %v", family, ok)
	}
	for _, name := range []string{"Aladdin R.D. JaCartaReader 00 00", pcsctest.Reader0, ""} {
		if family, ok := FamilyOfReader(name); ok {
			t.Errorf("%q is taken for %v", name, family)
		}
	}
	for _, n := range readerNames {
		if n.family != "" && n.family.About() == (About{}) {
			t.Errorf("%s is of a family that nothing is said of", n.prefix)
		}
		if !strings.Contains(n.usb, ":") {
			t.Errorf("%s has no USB identifiers", n.prefix)
		}
	}
	if bytes.Contains([]byte(Inserted.String()), []byte(" ")) {
		t.Error("a word for logs has a space")
	}
}
