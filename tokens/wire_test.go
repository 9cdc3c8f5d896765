package tokens

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"propusk/pki/reason"
)

// requests are one of each form.
func requests() []*request {
	return []*request{
		{op: opInfo},
		{op: opLogin, on: 7, kind: uint(userOrdinary), data: []byte("12345678")},
		{op: opLogin, on: 7, kind: uint(userOrdinary), flag: true},
		{op: opFind, on: ^uint(0), template: []attribute{{attrClass, number(classPrivateKey)}, {attrID, nil}}},
		{op: opDerive, on: 1, object: 2, mechanism: mechanism{kind: deriveKEG, agreement: &agreement{kdfNull, make([]byte, 32), make([]byte, 64)}}},
		{op: opGenerate, on: 1, mechanism: mechanism{kind: 0x1200, parameter: []byte{1}}, template: []attribute{{1, []byte{1}}}, second: []attribute{{2, []byte{2}}}},
	}
}

func answers() []*answer {
	failed, other := new(answer), new(answer)
	failed.refuse(rvPINIncorrect)
	other.refuse(reason.Errorf(reason.TokenModuleBad, "\x1b[2Jno such file"))
	return []*answer{
		{}, failed, other,
		{numbers: []uint{wireVersion}},
		{info: Info{"Propusk", "Soft", "1.0"}},
		{token: tokenInfo{label: "Ключ", serial: "1", flags: 8, maxSessions: ^uint(0), tries: 3, triesKnown: true}},
		{mechanisms: []Mechanism{{1, 2, 3, 4}}},
		{data: make([]byte, 64)},
	}
}

// body is what travels after the header.
func body(t testing.TB, room int, write func(*wire)) []byte {
	t.Helper()
	b, err := frame(1, room, write)
	if err != nil {
		t.Fatal(err)
	}
	id, body, err := readFrame(bytes.NewReader(b))
	if err != nil || id != 1 {
		t.Fatalf("%d, %v", id, err)
	}
	return body
}

func TestWire(t *testing.T) {
	for _, q := range requests() {
		if got, err := parseRequest(body(t, len(q.data), q.write)); err != nil || !reflect.DeepEqual(got, q) {
			t.Errorf("%+v: %+v, %v", q, got, err)
		}
	}
	for _, a := range answers() {
		if got, err := parseAnswer(body(t, 0, a.write)); err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%+v: %+v, %v", a, got, err)
		}
	}
}

func TestWireHasLimits(t *testing.T) {
	if _, err := frame(1, 0, (&request{op: opSign, data: make([]byte, maxFrame)}).write); reason.Of(err) != reason.TokenFailed {
		t.Errorf("a request that is too long: %v", err)
	}
	long := []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1}
	if _, _, err := readFrame(io.MultiReader(bytes.NewReader(long), strings.NewReader("rest"))); !errors.Is(err, errWire) {
		t.Errorf("4 GiB: %v", err)
	}
	many := &answer{numbers: make([]uint, maxObjects+1)}
	if _, err := parseAnswer(body(t, 0, many.write)); err == nil {
		t.Error("more objects than there may be")
	}
	for name, a := range map[string]*answer{
		"a label that moves the cursor":  {token: tokenInfo{label: "\x1b[2J"}},
		"a label that is no UTF-8":       {token: tokenInfo{label: "\xff"}},
		"a reason that does not exist":   {failed: true, reason: "no-such-reason"},
		"a failure without a reason":     {failed: true},
		"a reason without a failure":     {reason: string(reason.TokenFailed)},
		"both an error and another":      {failed: true, code: 5, reason: string(reason.TokenFailed)},
		"a description that is too long": {info: Info{Description: strings.Repeat("a", maxText+1)}},
	} {
		if got, err := parseAnswer(body(t, 0, a.write)); !errors.Is(err, errWire) || got != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if q, err := parseRequest(body(t, 0, (&request{op: opEnd}).write)); err == nil {
		t.Errorf("an operation that does not exist: %+v", q)
	}
}

// A frame with a PIN is not moved while it is written, which would leave copies.
func TestFrameWithPINStaysInPlace(t *testing.T) {
	pin := bytes.Repeat([]byte("9"), 249)
	var first *byte
	b, err := frame(1, len(pin), func(w *wire) {
		first = &w.b[0]
		(&request{op: opLogin, on: 1, data: pin}).write(w)
	})
	if err != nil || &b[0] != first {
		t.Errorf("moved, %v", err)
	}
}

func FuzzRequest(f *testing.F) {
	for _, q := range requests() {
		f.Add(body(f, len(q.data), q.write))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		q, err := parseRequest(in)
		if err != nil {
			if q != nil {
				t.Fatal("an error and a request")
			}
			return
		}
		if len(in) <= maxFrame && !bytes.Equal(body(t, 0, q.write), in) {
			t.Fatalf("%x is read as %+v, which is written otherwise", in, q)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, a := range answers() {
		f.Add(body(f, 0, a.write))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := parseAnswer(in)
		if err != nil {
			if a != nil {
				t.Fatal("an error and an answer")
			}
			return
		}
		if len(in) <= maxFrame && !bytes.Equal(body(t, 0, a.write), in) {
			t.Fatalf("%x is read as %+v, which is written otherwise", in, a)
		}
		if a.failed != (a.err() != nil) {
			t.Fatalf("%+v: %v", a, a.err())
		}
	})
}
