package factor_test

import (
	"bytes"
	"encoding/base32"
	"errors"
	"image/png"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/factor"
	"propusk/server/store"
)

// bench is a keeper with a clock, a store and an account.
type bench struct {
	t     *testing.T
	at    time.Time
	store store.Store
	id    account.ID
	*factor.Keeper
}

func newBench(t *testing.T) *bench {
	t.Helper()
	sealer, err := account.NewSealer([]byte("a secret of factors of 32 bytes!"))
	if err != nil {
		t.Fatal(err)
	}
	inn, err := person.ParseINN("500100732259")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), store: store.NewMemory(), id: account.NewID()}
	b.Keeper = factor.New(factor.Options{Sealer: sealer, Issuer: "Пропуск", Now: func() time.Time { return b.at }})
	b.do(func(tx store.Tx) error {
		return tx.PutAccount(&account.Account{
			ID: b.id, Identity: person.Identity{Kind: person.Person, INN: inn}, State: account.Active, Language: "ru", Registered: b.at, Origin: account.ByDemo,
		})
	})
	return b
}

func (b *bench) do(f func(store.Tx) error) {
	b.t.Helper()
	if err := b.store.Update(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

// ask runs a comparison in a transaction.
func (b *bench) ask(f func(store.Tx) (bool, error)) (ok bool) {
	b.t.Helper()
	b.do(func(tx store.Tx) (err error) { ok, err = f(tx); return err })
	return ok
}

func (b *bench) totp(code string) bool {
	b.t.Helper()
	return b.ask(func(tx store.Tx) (bool, error) { return b.TOTP(tx, b.id, code) })
}

func (b *bench) of() (s factor.Set) {
	b.t.Helper()
	b.do(func(tx store.Tx) (err error) { s, err = b.Of(tx, b.id); return err })
	return s
}

// enrol proposes an application and confirms it, and returns its secret and the recovery
// codes.
func (b *bench) enrol() (secret string, recovery []string) {
	b.t.Helper()
	var e factor.Enrolment
	b.do(func(tx store.Tx) (err error) { e, err = b.Propose(tx, b.id, "500100732259"); return err })
	secret = strings.ReplaceAll(e.Secret, " ", "")
	b.do(func(tx store.Tx) error {
		codes, ok, err := b.Confirm(tx, b.id, code(b.t, secret, b.at))
		if recovery = codes; !ok {
			b.t.Error("the first code is not taken")
		}
		return err
	})
	return secret, recovery
}

// code is what an application shows.
func code(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTOTP(t *testing.T) {
	b := newBench(t)
	secret, recovery := b.enrol()
	if got := b.of(); !got.TOTP || got.Email || got.Recovery != 10 || !got.Any() || len(recovery) != 10 {
		t.Errorf("%+v, %d codes", got, len(recovery))
	}
	if b.totp(code(t, secret, b.at)) {
		t.Error("the code of the confirmation is good once more")
	}
	b.at = b.at.Add(30 * time.Second)
	spaced := code(t, secret, b.at)
	if !b.totp(spaced[:3] + " " + spaced[3:]) {
		t.Error("a code with a space is not taken")
	}
	if b.totp(spaced) || b.totp("00000") || b.totp("") {
		t.Error("a code that was used, or none, is taken")
	}
	b.at = b.at.Add(time.Hour)
	if !b.totp(code(t, secret, b.at.Add(30*time.Second))) {
		t.Error("a clock that is half a minute fast")
	}
	if b.totp(code(t, secret, b.at)) {
		t.Error("a code of before the one that was used")
	}
	b.at = b.at.Add(time.Hour)
	for _, off := range []time.Duration{-time.Minute, time.Minute} {
		if b.totp(code(t, secret, b.at.Add(off))) {
			t.Errorf("a code of %s ago is taken", off)
		}
	}
	b.do(func(tx store.Tx) error { return b.RemoveTOTP(tx, b.id) })
	if got := b.of(); got != (factor.Set{}) {
		t.Errorf("removed: %+v", got)
	}
	if b.totp(code(t, secret, b.at)) {
		t.Error("a code of an application that was removed")
	}
}

// TestVectors: the codes of RFC 6238, cut to 6 digits, belong to its secret.
func TestVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/totp.txt")
	if err != nil {
		t.Fatal(err)
	}
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	n := 0
	for line := range strings.Lines(string(file)) {
		seconds, want, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		at, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if got := code(t, secret, time.Unix(at, 0)); got != want[2:] {
			t.Errorf("%s: %s, want %s", seconds, got, want)
		}
	}
	if n != 6 {
		t.Errorf("%d vectors", n)
	}
}

// TestProposal: a secret counts for nothing until its first code, and not for ever.
func TestProposal(t *testing.T) {
	b := newBench(t)
	var first, shown factor.Enrolment
	b.do(func(tx store.Tx) (err error) { first, err = b.Propose(tx, b.id, "label"); return err })
	b.do(func(tx store.Tx) (err error) { shown, err = b.Proposed(tx, b.id, "label"); return err })
	if first.Secret != shown.Secret || first.URI != shown.URI || !bytes.Equal(first.PNG, shown.PNG) {
		t.Error("what is shown again is another one")
	}
	if !strings.HasPrefix(first.URI, "otpauth://totp/") || !strings.Contains(first.URI, "secret="+strings.ReplaceAll(first.Secret, " ", "")) {
		t.Error(first.URI)
	}
	if _, err := png.Decode(bytes.NewReader(first.PNG)); err != nil {
		t.Error(err)
	}
	secret := strings.ReplaceAll(first.Secret, " ", "")
	if b.of().Any() || b.totp(code(t, secret, b.at)) {
		t.Error("it counts before it was confirmed")
	}
	b.do(func(tx store.Tx) error {
		if _, ok, err := b.Confirm(tx, b.id, "00000"); ok || err != nil {
			t.Error("a wrong code confirms", ok, err)
		}
		return nil
	})
	b.at = b.at.Add(time.Hour)
	err := b.store.Update(t.Context(), func(tx store.Tx) error {
		_, _, err := b.Confirm(tx, b.id, code(t, secret, b.at))
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Error("a proposal of an hour ago:", err)
	}
	old, _ := b.enrol()
	b.at = b.at.Add(time.Minute)
	fresh, _ := b.enrol()
	b.at = b.at.Add(time.Minute)
	if b.totp(code(t, old, b.at)) || !b.totp(code(t, fresh, b.at)) {
		t.Error("the new application does not replace the old one")
	}
}

func TestRecovery(t *testing.T) {
	b := newBench(t)
	_, codes := b.enrol()
	try := func(code string) bool {
		return b.ask(func(tx store.Tx) (bool, error) { return b.Recovery(tx, b.id, code) })
	}
	if slices.Sort(codes); len(slices.Compact(codes)) != 10 || len(codes[0]) != 11 {
		t.Error("the codes are not ten")
	}
	if try("00000-00000") || try("") || try(codes[0][:10]) {
		t.Error("a wrong code is taken")
	}
	typed := strings.ToLower(strings.NewReplacer("-", " ", "0", "o", "1", "l").Replace(codes[0]))
	if !try(typed) || try(codes[0]) {
		t.Error("a code is not good once, whatever its letters")
	}
	if got := b.of().Recovery; got != 9 {
		t.Errorf("%d are left", got)
	}
	var fresh []string
	b.do(func(tx store.Tx) (err error) { fresh, err = b.NewRecovery(tx, b.id); return err })
	if try(codes[1]) || !try(fresh[0]) {
		t.Error("the old codes are not void")
	}
}

func TestEmail(t *testing.T) {
	b := newBench(t)
	b.do(func(tx store.Tx) error { return b.SetEmail(tx, b.id, true) })
	if got := b.of(); !got.Email || !got.Any() {
		t.Errorf("%+v", got)
	}
	b.do(func(tx store.Tx) error { return b.SetEmail(tx, b.id, false) })
	if got := b.of(); got.Any() {
		t.Errorf("%+v", got)
	}
	send := func(owner string) (code string) {
		b.do(func(tx store.Tx) (err error) { code, _, err = b.EmailCode(tx, b.id, "second", owner); return err })
		return code
	}
	try := func(owner, code string) bool {
		return b.ask(func(tx store.Tx) (bool, error) { return b.CheckEmailCode(tx, b.id, "second", owner, code) })
	}
	code := send("one")
	if len(code) != 8 || try("two", code) || !try("one", code[:4]+" "+code[4:]) || try("one", code) {
		t.Error("a code is not good once, for its owner")
	}
	old, fresh := send("one"), send("one")
	if old != fresh && try("one", old) || !try("one", fresh) {
		t.Error("the older code is not void")
	}
	late := send("one")
	b.at = b.at.Add(10 * time.Minute)
	if try("one", late) {
		t.Error("a code is good for ever")
	}
	guessed := send("one")
	for range 5 {
		if try("one", "x"+guessed[1:]) {
			t.Error("a wrong code is taken")
		}
	}
	if try("one", guessed) {
		t.Error("a code that was tried five times in vain is good")
	}
}

// TestAtRest: the store has neither secrets nor codes in clear.
func TestAtRest(t *testing.T) {
	b := newBench(t)
	secret, codes := b.enrol()
	raw, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	var all []account.Factor
	b.do(func(tx store.Tx) (err error) { all, err = tx.Factors(b.id); return err })
	if len(all) != 2 {
		t.Errorf("%d factors", len(all))
	}
	for _, f := range all {
		for _, clear := range [][]byte{raw, []byte(secret), []byte(codes[0]), []byte(strings.ReplaceAll(codes[0], "-", ""))} {
			if bytes.Contains(f.Sealed, clear) {
				t.Errorf("a factor %s holds %q", f.Kind, clear)
			}
		}
	}
	// Moved to another account a secret does not open.
	other := account.NewID()
	b.do(func(tx store.Tx) error {
		inn, _ := person.ParseINN("770000000156")
		if err := tx.PutAccount(&account.Account{ID: other, Identity: person.Identity{INN: inn}, State: account.Active, Language: "ru", Registered: b.at, Origin: account.ByDemo}); err != nil {
			return err
		}
		for _, f := range all {
			f.Account = other
			if err := tx.PutFactor(f); err != nil {
				return err
			}
		}
		if ok, err := b.TOTP(tx, other, code(t, secret, b.at)); ok || !errors.Is(err, account.ErrSealed) {
			t.Error("a secret of somebody else:", ok, err)
		}
		if ok, err := b.Recovery(tx, other, codes[0]); ok || err != nil {
			t.Error("a code of somebody else:", ok, err)
		}
		return nil
	})
}
