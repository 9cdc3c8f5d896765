package challenge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"propusk/pki/reason"
)

// TestOneAnswer: a second answer that comes between the look at a state and the keeping of
// the first one is not taken, and no room is lost to it.
func TestOneAnswer(t *testing.T) {
	s := newStates(1, time.Now)
	st := &state{key: "k", began: time.Now()}
	for range 2 {
		if err := st.attempt(); err != nil {
			t.Fatal(err)
		}
	}
	bearer, err := s.answer(netip.Prefix{}, st, answer{file: []byte("first")})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := s.answer(netip.Prefix{}, st, answer{file: []byte("second")}); second != "" || reason.Of(err) != reason.ChallengeAnswered {
		t.Errorf("the second answer: %q, %v", second, err)
	}
	if n := s.answers.Len(); n != 1 {
		t.Errorf("%d answers are kept", n)
	}
	if file, err := s.take(st, bearer, true); err != nil || string(file) != "first" {
		t.Errorf("taken up: %q, %v", file, err)
	}
	if n := s.answers.Len(); n != 0 {
		t.Errorf("%d answers are left", n)
	}
}

// TestAnswerOfAnother: an answer that is brought to another browser is forgotten at once.
func TestAnswerOfAnother(t *testing.T) {
	s := newStates(1, time.Now)
	st := &state{key: "k", began: time.Now()}
	bearer, err := s.answer(netip.Prefix{}, st, answer{file: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.take(st, strings.Repeat("A", 43), false); reason.Of(err) != reason.ChallengeOtherBrowser || s.answers.Len() != 1 {
		t.Errorf("a stranger without the key spoilt it: %v", err)
	}
	if _, err := s.take(st, bearer, false); reason.Of(err) != reason.ChallengeOtherBrowser || s.answers.Len() != 0 {
		t.Errorf("the bearer in another browser: %v, %d are kept", err, s.answers.Len())
	}
	if _, err := s.take(st, bearer, true); reason.Of(err) != reason.ChallengeUsed {
		t.Errorf("afterwards: %v", err)
	}
}

// TestAnswersAreBounded: whoever makes states and answers them fills the store and not the
// memory, and alone not more than half of it.
func TestAnswersAreBounded(t *testing.T) {
	clock := time.Unix(1e9, 0)
	s := newStates(1, func() time.Time { return clock })
	one, two := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	fill := func(by netip.Prefix) (n int) {
		for {
			_, err := s.answer(by, &state{}, answer{})
			if reason.Of(err) == reason.ServerBusy {
				return n
			}
			if n++; err != nil || n > maxAnswers {
				t.Fatalf("after %d: %v", n, err)
			}
		}
	}
	if a, b := fill(one), fill(two); a != maxAnswers/2 || b != maxAnswers/4 {
		t.Errorf("one has %d, then another has %d", a, b)
	}
	if _, err := s.answer(netip.Prefix{}, &state{}, answer{}); err != nil {
		t.Errorf("a third one: %v", err)
	}
	clock = clock.Add(answerLife)
	if n := fill(two); n != maxAnswers/2 {
		t.Errorf("a minute later: %d", n)
	}
}

// TestFair: whoever leaves is forgotten, and what he left is free.
func TestFair(t *testing.T) {
	clock := time.Unix(1e9, 0)
	f := newFair(4, time.Minute, func() time.Time { return clock })
	one, two := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	enter := func(by netip.Prefix, want bool) {
		t.Helper()
		if err := f.enter(by); (err == nil) != want || err != nil && reason.Of(err) != reason.ServerBusy {
			t.Errorf("%v, want %v", err, want)
		}
	}
	enter(one, true)
	clock = clock.Add(time.Second)
	enter(one, true)
	enter(one, false)
	enter(two, true)
	enter(two, false)
	clock = clock.Add(time.Minute - time.Second - 1)
	enter(one, false)
	clock = clock.Add(1) // the first leaves
	enter(one, true)
	enter(one, false)
	enter(two, false)
	clock = clock.Add(time.Minute)
	enter(netip.Prefix{}, true)
	if len(f.counts) != 1 || len(f.queue) != 1 {
		t.Errorf("%d clients and %d places are remembered", len(f.counts), len(f.queue))
	}
}

// TestKeysOfRequests: a key that agents could not verify with does not start.
func TestKeysOfRequests(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Issuer: "https://gateway.example", Name: "Шлюз", AgentPorts: []int{17446}, States: 1, Orders: 1, Now: time.Now}
	o.Keys = []crypto.Signer{p384}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "key 0") {
		t.Errorf("a key on P-384: %v", err)
	}
	o.Keys = nil
	if c, err := New(o); err != nil || c.card != nil {
		t.Errorf("without keys, for plug-ins: %v", err)
	}
}

// TestOneOfTwo: of two completions at once one gets the answer, whatever their order: the
// other one must not throw it away.
func TestOneOfTwo(t *testing.T) {
	for range 200 {
		s := newStates(1, time.Now)
		st := &state{key: "k", began: time.Now()}
		bearer, err := s.answer(netip.Prefix{}, st, answer{file: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan []byte, 4)
		for range cap(got) {
			go func() {
				file, _ := s.take(st, bearer, true)
				got <- file
			}()
		}
		in := 0
		for range cap(got) {
			if file := <-got; string(file) == "x" {
				in++
			}
		}
		if in != 1 {
			t.Fatalf("%d got the answer", in)
		}
	}
}

// TestSpentOnce is what TestOneOfTwo is about, step by step: a completion that comes
// between the two steps of the one that is let in.
func TestSpentOnce(t *testing.T) {
	s := newStates(1, time.Now)
	st := &state{key: "k", began: time.Now()}
	bearer, err := s.answer(netip.Prefix{}, st, answer{file: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	if spent, err := st.take(bearer, true); !spent || err != nil {
		t.Fatalf("the first: %v, %v", spent, err)
	}
	if _, err := s.take(st, bearer, true); reason.Of(err) != reason.ChallengeUsed || s.answers.Len() != 1 {
		t.Errorf("the second took the answer of the first: %v, %d are kept", err, s.answers.Len())
	}
}
