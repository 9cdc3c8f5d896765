package selftest

import (
	"errors"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/kdf"
	"propusk/gost/magma"
	"propusk/gost/streebog"
	"propusk/gost/vko"
)

func TestRun(t *testing.T) {
	if err := Run(); err != nil {
		t.Error(err)
	}
}

// TestFailures checks that failures come out, each with its name.
func TestFailures(t *testing.T) {
	bad := []check{
		{"first", func() error { return equal([]byte{1}, "02") }},
		{"second", func() error { return nil }},
		{"third", func() error { return errAccepted }},
	}
	err := run(bad, bad[:1])
	if !errors.Is(err, errAccepted) {
		t.Errorf("%v does not wrap its cause", err)
	}
	if got, want := err.Error(), "first: got 01, want 02\nthird: "+errAccepted.Error()+"\nfirst: got 01, want 02"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestWrongAnswers gives every kind of check a wrong known answer: none may pass.
func TestWrongAnswers(t *testing.T) {
	wrong := func(answer string) string { // the last digit is another one
		last := answer[len(answer)-1]
		return answer[:len(answer)-1] + string("123456789abcdef0"[strings.IndexByte("0123456789abcdef", last)])
	}
	for name, err := range map[string]error{
		"hash":      hashes(streebog.New256(), streebogMessage, wrong(streebog256)),
		"block":     encrypts(magma.New, magmaKey, "fedcba9876543210", wrong("4ee901e5c2d8ca3d")),
		"stream":    streams(magma.New, magmaKey, "12345678", wrong(magmaCTR)),
		"code":      codes(magma.New, magmaKey, magmaPlain, wrong("154e72102030c5bb")),
		"record":    record(magma.New, "00001000", 1024, 2048, magmaCode, wrong(magmaEnd)),
		"section":   record(magma.New, "00001000", 2048, 2048, magmaCode, magmaEnd),
		"tree":      tree(kdf.MagmaCTROMAC, 1<<38, wrong(treeMagma)),
		"wrapping":  wraps(magma.New, kegMagma, "214a6a29", wrong(wrappedMagma)),
		"signature": signs(gost3410.CryptoProA(), keyCryptoProA, wrong(signatureCryptoProA)),
		"key":       signs(gost3410.CryptoProA(), keyCryptoProB, signatureCryptoProA),
		"agreement": agrees(vko.VKO256, gost3410.TC26512A(), vkoPrivate, vkoPublic, vkoUKM, wrong(vko256)),
	} {
		if err == nil {
			t.Errorf("%s: a wrong answer passed", name)
		}
	}
}
