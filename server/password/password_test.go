package password

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"propusk/pki/reason"
)

// light is the least cost, for tests.
func light() Params { return Params{Memory: minMemory, Time: 1} }

func hasher(t testing.TB, o Options) *Hasher {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestVectors: hashes of the reference implementation are good here.
func TestVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/argon2id.txt")
	if err != nil {
		t.Fatal(err)
	}
	h, n := hasher(t, Options{}), 0
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		n++
		password, hash, _ := strings.Cut(strings.TrimSpace(line), " ")
		ok, again, err := h.Verify(t.Context(), hash, password)
		if err != nil || !ok || again == strings.Contains(hash, "m=19456,t=2") {
			t.Errorf("%s: %t, again %t, %v", hash, ok, again, err)
		}
		if ok, _, err := h.Verify(t.Context(), hash, password+"x"); err != nil || ok {
			t.Errorf("%s: another password: %t, %v", hash, ok, err)
		}
	}
	if n != 2 {
		t.Errorf("%d vectors", n)
	}
}

func TestHash(t *testing.T) {
	h := hasher(t, Options{Params: light(), Pepper: []byte("0123456789abcdef")})
	const password = "Дуб-над-рекой-7"
	hash, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if ok, again, err := h.Verify(t.Context(), hash, password); err != nil || !ok || again {
		t.Error(ok, again, err)
	}
	if second, _ := h.Hash(t.Context(), password); second == hash {
		t.Error("the salt is not fresh")
	}
	composed := strings.Replace(password, "й", "\u0438\u0306", 1)
	if ok, _, err := h.Verify(t.Context(), hash, composed); err != nil || !ok {
		t.Error("«й» of two characters:", ok, err)
	}

	other := hasher(t, Options{Params: light(), Pepper: []byte("another pepper 1")})
	if ok, _, err := other.Verify(t.Context(), hash, password); ok || !errors.Is(err, ErrPepper) {
		t.Error("another pepper:", ok, err)
	}
	costlier := hasher(t, Options{Params: Params{Memory: minMemory, Time: 2}, Pepper: []byte("0123456789abcdef")})
	if ok, again, err := costlier.Verify(t.Context(), hash, password); err != nil || !ok || !again {
		t.Error("another cost:", ok, again, err)
	}
	if _, err := h.Hash(t.Context(), strings.Repeat("x", MaxLength+1)); err == nil {
		t.Error("a password of any length is hashed")
	}
	if ok, _, err := h.Verify(t.Context(), hash, strings.Repeat("x", MaxLength+1)); ok || err != nil {
		t.Error("too long a password:", ok, err)
	}
	empty, err := h.Hash(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := h.Verify(t.Context(), empty, ""); ok {
		t.Error("the empty password opens")
	}
}

// TestNobody: a login without a password takes the work of one with it.
func TestNobody(t *testing.T) {
	h := hasher(t, Options{Params: light()})
	hash, err := h.Hash(t.Context(), "Дуб-над-рекой-7")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{hash, "", "$argon2id$v=19$broken"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if ok, _, err := h.Verify(t.Context(), text, "another"); ok || (err != nil) != strings.Contains(text, "broken") {
			t.Error(text, ok, err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got < minMemory<<10 {
			t.Errorf("%q took %d bytes only", text, got)
		}
	}
	if ok, _, err := h.Verify(t.Context(), "", ""); ok || err != nil {
		t.Error("nobody's password is empty:", ok, err)
	}
}

// TestFlood: a thousand attempts at the same moment take the memory of two.
func TestFlood(t *testing.T) {
	h := hasher(t, Options{Params: light(), Concurrent: 2, Waiting: 60})
	hash, err := h.Hash(t.Context(), "Дуб-над-рекой-7")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var good, busy atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 1000 {
		all.Go(func() {
			<-start
			switch ok, _, err := h.Verify(context.Background(), hash, "Дуб-над-рекой-7"); {
			case err == nil && ok:
				good.Add(1)
			case errors.Is(err, reason.ServerBusy):
				busy.Add(1)
			default:
				t.Error(ok, err)
			}
		})
	}
	close(start)
	all.Wait()
	runtime.ReadMemStats(&after)
	// Two hashes of 8 MiB, and as much again that the collector has not seen yet.
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 96<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	if good.Load() < 2 || good.Load()+busy.Load() != 1000 {
		t.Errorf("%d good, %d refused", good.Load(), busy.Load())
	}
}

// TestWait: who waits leaves when his request ends, and makes room for others.
func TestWait(t *testing.T) {
	h := hasher(t, Options{Params: light(), Concurrent: 1, Waiting: 1})
	h.desks <- struct{}{} // somebody computes
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 5 {
		if _, err := h.Hash(ctx, "x"); !errors.Is(err, reason.ServerBusy) {
			t.Fatal(err)
		}
	}
	<-h.desks
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	if len(h.queue) != 0 || len(h.desks) != 0 {
		t.Errorf("%d wait, %d compute", len(h.queue), len(h.desks))
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{Params: Params{Memory: minMemory - 1, Time: 1}}, {Params: Params{Memory: maxMemory + 1, Time: 1}},
		{Params: Params{Memory: minMemory}}, {Params: Params{Memory: minMemory, Time: maxTime + 1}},
		{Pepper: []byte("short")},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// FuzzParse: what is read is written back as it was, and no hash asks for more than the
// limits.
func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcyAxNg$eDO5VUNNHtWY+HB3INnK5RNBrr68C995QfWlcziOurI")
	f.Add("$argon2id$v=19$m=8192,t=1,p=1,keyid=AAAAAAAA$YW5vdGhlciBzYWx0IDE2Yg$Jx98lk+c8GPCdTiNPKc6w+hO5HtjDOhcOJGvyHM58Sk")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=1$YW5vdGhlciBzYWx0IDE2Yg$Jx98lk+c8GPCdTiNPKc6w+hO5HtjDOhcOJGvyHM58Sk")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parse(text)
		if err != nil {
			if v.salt != nil || v.tag != nil {
				t.Fatalf("%q: refused, yet returned", text)
			}
			return
		}
		if v.String() != text || !v.params.valid() {
			t.Fatalf("%q: %+v", text, v)
		}
	})
}

// BenchmarkVerify is the cost of one attempt.
func BenchmarkVerify(b *testing.B) {
	h := hasher(b, Options{})
	hash, err := h.Hash(b.Context(), "Дуб-над-рекой-7")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), hash, "Дуб-над-рекой-7"); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
