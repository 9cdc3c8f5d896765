package account

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/journal"
)

func TestSealer(t *testing.T) {
	if _, err := NewSealer(make([]byte, MinSecret-1)); err == nil {
		t.Error("a short secret is taken")
	}
	secret := bytes.Repeat([]byte{7}, MinSecret)
	s := sealer(t, secret)
	clear(secret) // it was copied
	same, other := sealer(t, bytes.Repeat([]byte{7}, MinSecret)), sealer(t, bytes.Repeat([]byte{8}, MinSecret))

	for _, data := range [][]byte{nil, {0}, []byte("секрет")} {
		a, b := s.Seal("totp", "account-1", data), s.Seal("totp", "account-1", data)
		if bytes.Equal(a, b) {
			t.Error("sealed twice alike: the nonce is the same")
		}
		if got, err := same.Open("totp", "account-1", a); err != nil || !bytes.Equal(got, data) {
			t.Errorf("opened %q, %v", got, err)
		}
		for name, open := range map[string]func() ([]byte, error){
			"by another secret":   func() ([]byte, error) { return other.Open("totp", "account-1", a) },
			"for another purpose": func() ([]byte, error) { return s.Open("code", "account-1", a) },
			"for another owner":   func() ([]byte, error) { return s.Open("totp", "account-2", a) },
			"cut off":             func() ([]byte, error) { return s.Open("totp", "account-1", a[:len(a)-1]) },
			"empty":               func() ([]byte, error) { return s.Open("totp", "account-1", nil) },
			"changed":             func() ([]byte, error) { return s.Open("totp", "account-1", append([]byte{a[0] ^ 1}, a[1:]...)) },
		} {
			if got, err := open(); !errors.Is(err, ErrSealed) || got != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}

	p := s.Pepper("password", "x")
	for name, q := range map[string][32]byte{
		"another text": s.Pepper("password", "y"), "another purpose": s.Pepper("code", "x"), "another secret": other.Pepper("password", "x"),
	} {
		if p == q {
			t.Errorf("%s has the same pepper", name)
		}
	}
	if p != same.Pepper("password", "x") {
		t.Error("the same text has another pepper")
	}
}

func sealer(t *testing.T, secret []byte) *Sealer {
	t.Helper()
	s, err := NewSealer(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzSealed: what was not sealed does not open.
func FuzzSealed(f *testing.F) {
	s, err := NewSealer(bytes.Repeat([]byte{7}, MinSecret))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil))
	f.Add(bytes.Repeat([]byte{1}, 28))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if data, err := s.Open("totp", "a", sealed); !errors.Is(err, ErrSealed) || data != nil {
			t.Fatalf("opened as %q, %v", data, err)
		}
	})
}

func TestNames(t *testing.T) {
	seen := map[ID]bool{}
	for range 1000 {
		id := NewID()
		if raw, err := hex.DecodeString(string(id)); err != nil || len(raw) != idSize || seen[id] {
			t.Fatalf("the ID %q", id)
		}
		seen[id] = true
	}
}

func TestStates(t *testing.T) {
	for _, s := range []State{Active, Awaiting, Pending, Rejected, Blocked, Compromised, Closed} {
		if !s.Known() {
			t.Errorf("%s is not known", s)
		}
	}
	for _, s := range []State{"", "Active", "other"} {
		if s.Known() {
			t.Errorf("%q is known", s)
		}
	}
}

func inn(t *testing.T) person.INN {
	t.Helper()
	n, err := person.ParseINN("500100732259")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTaxpayers(t *testing.T) {
	who := person.Identity{Kind: person.LegalEntity, INN: inn(t), Name: person.NewName("Иванов Иван"), Organization: person.NewName("ООО «Ромашка»")}
	head := TaxpayerOf(who)
	if head.Name != who.Organization || head.INN != who.INN || head.ID == "" {
		t.Errorf("the head of a legal entity acts for %+v", head)
	}
	who.Kind = person.Person
	himself := TaxpayerOf(who)
	if himself.Name != who.Name || himself.ID == head.ID {
		t.Errorf("a person acts for %+v", himself)
	}
	a := Account{Taxpayers: []Taxpayer{head, himself}}
	if got, ok := a.Taxpayer(himself.ID); !ok || got != himself {
		t.Error("the taxpayer is not found by its ID")
	}
	for _, id := range []string{"", "other"} {
		if _, ok := a.Taxpayer(id); ok {
			t.Errorf("a taxpayer is found by %q", id)
		}
	}
	again := TaxpayerOf(who)
	again.Name = person.NewName("Иванова Ивана")
	if !himself.Same(again) || himself.Same(head) {
		t.Error("taxpayers are told apart by something else than kind and numbers")
	}
}

// TestNothingPersonalPrints prints values as a log would.
func TestNothingPersonalPrints(t *testing.T) {
	canary := "kanareyka"
	who := person.Identity{INN: inn(t), Name: person.NewName(canary), Email: person.NewEmail(canary)}
	all := []any{
		Account{Identity: who, Email: person.NewEmail(canary), Phone: person.NewPrivate(canary), Taxpayers: []Taxpayer{TaxpayerOf(who)}},
		Visit{Address: person.NewPrivate(canary), Device: person.NewPrivate(canary)},
		Letter{To: person.NewEmail(canary), Text: person.NewPrivate(canary), HTML: person.NewPrivate(canary)},
		Note{Who: who, Event: journal.Event{At: time.Now(), Address: person.NewPrivate(canary)}},
		Ticket{Name: who.Name, INN: who.INN, Email: who.Email, Phone: person.NewPrivate(canary), Text: person.NewPrivate(canary), Answers: []Answer{{Text: person.NewPrivate(canary)}}},
		Attachment{Name: person.NewPrivate(canary)},
	}
	for _, v := range all {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canary) || strings.Contains(text, "500100732") {
				t.Errorf("%T prints as %s", v, text)
			}
		}
	}
}

func TestWaiting(t *testing.T) {
	l := Letter{}
	if !l.Waiting() {
		t.Error("a new letter does not wait")
	}
	for _, done := range []Letter{{Sent: time.Now()}, {Failed: time.Now()}} {
		if done.Waiting() {
			t.Error("a letter waits that is done")
		}
	}
}
