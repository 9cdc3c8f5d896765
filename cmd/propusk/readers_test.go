//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/tokens/pcsctest"
	"propusk/tokens/virtualcard"
)

// TestTokenReaders lists readers with a token and with a УЭК.
func TestTokenReaders(t *testing.T) {
	s := pcsctest.Start(t)
	token, err := virtualcard.New(virtualcard.Options{Serial: 0x2D6F4A31, Model: "Рутокен ЭЦП 3.0"})
	if err != nil {
		t.Fatal(err)
	}
	s.Insert(token)

	var out bytes.Buffer
	if err := listReaders(t.Context(), &out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Virtual PCD 00 00\n  Рутокен ЭЦП 3.0, № 2d6f4a31\n", "осталось попыток / tries left: 10 из / of 10 — заводской", "Virtual PCD 00 01\n  пусто / empty",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing of %q in\n%s", want, out.String())
		}
	}

	s.InsertAt(1, virtualcard.Shows([]byte(virtualcard.ATRUEC)))
	out.Reset()
	if err := listReaders(t.Context(), &out, true); err != nil {
		t.Fatal(err)
	}
	var lines []readerLine
	if err := json.Unmarshal(out.Bytes(), &lines); err != nil || len(lines) != 2 {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if c := lines[0].Card; c == nil || c.Family != "rutoken-ecp" || c.Serial != "2d6f4a31" || !c.GOST || c.PIN == nil || c.PIN.TriesLeft != 10 {
		t.Errorf("%s", out.String())
	}
	if l := lines[1]; l.Card == nil || l.Card.Family != "uec" || l.Problem == nil || l.Problem.Code != reason.CardUEC ||
		!strings.Contains(l.Problem.RU, "КриптоПро УЭК CSP") {
		t.Errorf("%s", out.String())
	}
	if token.Presented() != 0 {
		t.Errorf("%d PINs were sent", token.Presented())
	}
}

// TestTokenReadersWatch sees a card that no table knows, which then leaves.
func TestTokenReadersWatch(t *testing.T) {
	s := pcsctest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := watchReaders(ctx, w, true)
		w.Close()
		ended <- err
	}()
	events := bufio.NewScanner(r)
	next := func(kind, reader string) readerEvent {
		t.Helper()
		var e readerEvent
		if !events.Scan() {
			t.Fatalf("no event: %v", events.Err())
		}
		if err := json.Unmarshal(events.Bytes(), &e); err != nil || e.Event != kind || e.Reader == nil || e.Reader.Reader != reader {
			t.Fatalf("%v: %s; want %s of %s", err, events.Bytes(), kind, reader)
		}
		return e
	}
	next("reader-added", pcsctest.Reader0)
	next("reader-added", pcsctest.Reader1)
	s.Insert(virtualcard.Shows([]byte("\x3B\x65\x00\x00\x20\x63\xCB\x68\x00")))
	if e := next("inserted", pcsctest.Reader0); e.Reader.Card == nil || e.Reader.Card.Family != "" || e.Reader.ATR != "3b6500002063cb6800" {
		t.Errorf("%+v", e.Reader)
	}
	s.Remove()
	next("removed", pcsctest.Reader0)
	cancel()
	if events.Scan() {
		t.Errorf("an event after the end: %s", events.Bytes())
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestTokenReadersWithoutService says what to install.
func TestTokenReadersWithoutService(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "none"))
	err := refusal(listReaders(t.Context(), io.Discard, false))
	if !errors.Is(err, reason.ReaderServiceAbsent) || !strings.Contains(err.Error(), "pcscd") {
		t.Errorf("%v", err)
	}
}

// TestReaderTexts holds what people read of cards that are hard to have at hand.
func TestReaderTexts(t *testing.T) {
	for _, c := range []struct {
		name string
		line readerLine
		want string
	}{
		{"unknown", readerLine{Reader: "R", Present: true, ATR: "3b00", Card: &cardLine{}}, "неизвестная карта / unknown card, ATR 3b00"},
		{"busy", readerLine{Reader: "R", Present: true, Card: &cardLine{Family: "jacarta", NameRU: "JaCarta", Unasked: true}}, "занят другой программой"},
		{"locked", readerLine{Reader: "R", Present: true, Card: &cardLine{Family: "rutoken-ecp", PIN: &pinLine{Tries: 10}}}, "0 из / of 10 — заблокирован / locked"},
		{"to be changed", readerLine{Reader: "R", Present: true, Card: &cardLine{Family: "rutoken-ecp", PIN: &pinLine{TriesLeft: 3, Tries: 10, MustChange: true}}}, "нужно сменить"},
		{"library", readerLine{Reader: "R", Present: true, Card: &cardLine{Family: "rutoken-ecp", Library: "/usr/lib/librtpkcs11ecp.so"}}, "библиотека / library: /usr/lib/librtpkcs11ecp.so"},
		{"mute", readerLine{Reader: "R", Present: true, Card: &cardLine{}, Problem: problem(context.DeadlineExceeded)}, "Карта не отвечает"},
	} {
		var out bytes.Buffer
		p := &printer{w: &out}
		if c.line.print(p); p.err != nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %v, nothing of %q in\n%s", c.name, p.err, c.want, out.String())
		}
	}
}
