package certs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/tsl"
)

// moment is the time of all tests.
var moment = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func now() time.Time { return moment }

// newCountry makes a country with keys of a seed. Countries of the same seed and
// moment have the same keys.
func newCountry(t testing.TB, seed string, at time.Time) *testpki.Country {
	t.Helper()
	c, err := testpki.New(testpki.Options{Now: at, Rand: rand.NewChaCha8(sha256.Sum256([]byte(seed)))})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trustDir writes the country and returns its trust directory.
func trustDir(t testing.TB, c *testpki.Country) string {
	t.Helper()
	dir := t.TempDir()
	if err := c.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "trust")
}

// loaded returns a store with the directory in force.
func loaded(t testing.TB, dir string) *certs.Store {
	t.Helper()
	s := certs.NewStore(certs.Source{Dir: dir}, now)
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edit rewrites a file.
func edit(t testing.TB, path string, f func([]byte) []byte) {
	t.Helper()
	write(t, path, f(bytes.Clone(read(t, path))))
}

func half(data []byte) []byte { return data[:len(data)/2] }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// badFile is one way to spoil a trust directory.
type badFile struct {
	name  string
	spoil func(t *testing.T, c *testpki.Country, dir string)
	code  reason.Code
	// first is the code of a first load; empty means that the directory loads,
	// with or without quarantine.
	first reason.Code
	// quarantined is the code under which the first load sets a CRL aside.
	quarantined reason.Code
}

// resign writes a changed list signed by a CA.
func resign(change func(*tsl.Content), signer string) func(*testing.T, *testpki.Country, string) {
	return func(t *testing.T, c *testpki.Country, dir string) {
		content := c.TSLContent()
		change(content)
		write(t, filepath.Join(dir, "tsl.xml"), must(c.SignTSL(content, c.Authority(signer)))(t))
	}
}

func spoilTSL(f func([]byte) []byte) func(*testing.T, *testpki.Country, string) {
	return func(t *testing.T, _ *testpki.Country, dir string) { edit(t, filepath.Join(dir, "tsl.xml"), f) }
}

func spoilCRL(f func(*testing.T, *testpki.Country, []byte) []byte) func(*testing.T, *testpki.Country, string) {
	return func(t *testing.T, c *testpki.Country, dir string) {
		edit(t, filepath.Join(dir, "crls", "fns.crl"), func(data []byte) []byte { return f(t, c, data) })
	}
}

func badTSLs() []badFile {
	return []badFile{
		{name: "list truncated", spoil: spoilTSL(half), code: reason.XMLMalformed, first: reason.XMLMalformed},
		{name: "list empty", spoil: spoilTSL(func([]byte) []byte { return nil }), code: reason.TrustFileEmpty, first: reason.TrustFileEmpty},
		{name: "list is garbage", spoil: spoilTSL(func([]byte) []byte { return []byte("<html>502 Bad Gateway</html>") }),
			code: reason.TSLMalformed, first: reason.TSLMalformed},
		{name: "list content flipped", spoil: spoilTSL(func(d []byte) []byte {
			return bytes.Replace(d, []byte("УЦ Образец"), []byte("УЦ Образуц"), 1)
		}), code: reason.TSLNotVerified, first: reason.TSLNotVerified},
		{name: "list signature flipped", spoil: spoilTSL(func(d []byte) []byte {
			i := bytes.Index(d, []byte("SignatureValue>")) + len("SignatureValue>") + 10
			if d[i] == 'A' {
				d[i] = 'B'
			} else {
				d[i] = 'A'
			}
			return d
		}), code: reason.TSLNotVerified, first: reason.TSLNotVerified},
		{name: "list signed by a stranger", spoil: resign(func(*tsl.Content) {}, "unknown-root"), code: reason.TSLNotVerified, first: reason.TSLNotVerified},
		{name: "list signed by another CA of the country", spoil: resign(func(*tsl.Content) {}, "fns"), code: reason.TSLNotVerified, first: reason.TSLNotVerified},
		{name: "list signed by a root that may not", spoil: resign(func(*tsl.Content) {}, "head-512"), code: reason.TSLNotVerified, first: reason.TSLNotVerified},
		{name: "list of a lower version", spoil: resign(func(l *tsl.Content) { l.Version-- }, "head-256"), code: reason.TrustListRollback},
		{name: "list removed", spoil: func(t *testing.T, _ *testpki.Country, dir string) { remove(t, filepath.Join(dir, "tsl.xml")) }, code: reason.TrustListMissing},
		{name: "list signer is garbage", spoil: func(t *testing.T, _ *testpki.Country, dir string) {
			write(t, filepath.Join(dir, "tsl-signers", "head-256.pem"), []byte("garbage"))
		}, code: reason.TrustCertMalformed, first: reason.TrustCertMalformed},
	}
}

func badCRLs() []badFile {
	issue := func(from string, ago, due time.Duration) func(*testing.T, *testpki.Country, []byte) []byte {
		return func(t *testing.T, c *testpki.Country, _ []byte) []byte {
			a := c.Authority(from)
			l := c.CRLTemplate(a)
			l.ThisUpdate, l.NextUpdate = moment.Add(-ago), moment.Add(due)
			return must(c.IssueCRL(a, l))(t)
		}
	}
	return []badFile{
		{name: "CRL truncated", spoil: spoilCRL(func(_ *testing.T, _ *testpki.Country, d []byte) []byte { return half(d) }),
			code: reason.CRLMalformed, quarantined: reason.CRLMalformed},
		{name: "CRL empty", spoil: spoilCRL(func(*testing.T, *testpki.Country, []byte) []byte { return nil }),
			code: reason.TrustFileEmpty, quarantined: reason.TrustFileEmpty},
		{name: "CRL is a web page", spoil: spoilCRL(func(*testing.T, *testpki.Country, []byte) []byte { return []byte("<html>404</html>") }),
			code: reason.CRLMalformed, quarantined: reason.CRLMalformed},
		{name: "CRL signature flipped", spoil: spoilCRL(func(_ *testing.T, _ *testpki.Country, d []byte) []byte { d[len(d)-1] ^= 1; return d }),
			code: reason.CRLSignatureBad, quarantined: reason.CRLSignatureBad},
		{name: "CRL oversized", spoil: func(t *testing.T, _ *testpki.Country, dir string) {
			if err := os.Truncate(filepath.Join(dir, "crls", "fns.crl"), crl.MaxSize+1); err != nil {
				t.Fatal(err)
			}
		}, code: reason.TrustFileTooLarge, quarantined: reason.TrustFileTooLarge},
		{name: "CRL of a stranger", spoil: spoilCRL(issue("unknown", time.Hour, time.Hour)),
			code: reason.TrustCRLIssuerUnknown, quarantined: reason.TrustCRLIssuerUnknown},
		{name: "CRL of another CA", spoil: spoilCRL(issue("commercial", time.Hour, time.Hour)), code: reason.TrustCRLMissing},
		{name: "CRL expired", spoil: spoilCRL(issue("fns", 48*time.Hour, -24*time.Hour)), code: reason.TrustCRLRollback},
		{name: "CRL older", spoil: spoilCRL(issue("fns", 2*time.Hour, 24*time.Hour)), code: reason.TrustCRLRollback},
		{name: "CRL from the future", spoil: spoilCRL(issue("fns", -time.Hour, 24*time.Hour)),
			code: reason.TrustCRLFuture, quarantined: reason.TrustCRLFuture},
		{name: "CRL with changes only", spoil: spoilCRL(func(t *testing.T, c *testpki.Country, _ []byte) []byte {
			a := c.Authority("fns")
			l := c.CRLTemplate(a)
			delta := gostx509.Extension{ID: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}
			l.Extra = append(l.Extra, delta)
			return must(c.IssueCRL(a, l))(t)
		}), code: reason.TrustCRLMissing}, // a good list, but not the complete one
		{name: "CRL removed", spoil: func(t *testing.T, _ *testpki.Country, dir string) { remove(t, filepath.Join(dir, "crls", "fns.crl")) },
			code: reason.TrustCRLMissing},
		{name: "CRL is a directory", spoil: func(t *testing.T, _ *testpki.Country, dir string) {
			remove(t, filepath.Join(dir, "crls", "fns.crl"))
			if err := os.Symlink(dir, filepath.Join(dir, "crls", "fns.crl")); err != nil {
				t.Fatal(err)
			}
		}, code: reason.TrustFileUnreadable, quarantined: reason.TrustFileUnreadable},
	}
}

func badRoots() []badFile {
	root := func(data func(c *testpki.Country, old []byte) []byte) func(*testing.T, *testpki.Country, string) {
		return func(t *testing.T, c *testpki.Country, dir string) {
			edit(t, filepath.Join(dir, "roots", "head-256.pem"), func(old []byte) []byte { return data(c, old) })
		}
	}
	pins := func(f func([]byte) []byte) func(*testing.T, *testpki.Country, string) {
		return func(t *testing.T, _ *testpki.Country, dir string) { edit(t, filepath.Join(dir, "pins.txt"), f) }
	}
	same := func(code reason.Code, b badFile) badFile { b.code, b.first = code, code; return b }
	return []badFile{
		same(reason.TrustCertMalformed, badFile{name: "root is garbage", spoil: root(func(*testpki.Country, []byte) []byte { return []byte("garbage") })}),
		same(reason.TrustCertMalformed, badFile{name: "root truncated", spoil: root(func(_ *testpki.Country, d []byte) []byte { return half(d) })}),
		same(reason.TrustFileEmpty, badFile{name: "root empty", spoil: root(func(*testpki.Country, []byte) []byte { return nil })}),
		same(reason.TrustFileTooLarge, badFile{name: "root oversized", spoil: root(func(_ *testpki.Country, d []byte) []byte {
			return append(d, bytes.Repeat([]byte("\n"), certs.MaxCertificateFile)...)
		})}),
		same(reason.TrustRootNotPinned, badFile{name: "root of another country", spoil: root(func(c *testpki.Country, _ []byte) []byte {
			return c.Authority("unknown-root").Certificate.Raw
		})}),
		same(reason.TrustRootNotPinned, badFile{name: "pin removed", spoil: pins(func(d []byte) []byte {
			return []byte(strings.SplitAfterN(string(d), "\n", 3)[0] + strings.SplitAfterN(string(d), "\n", 3)[1])
		})}),
		same(reason.TrustPinsMalformed, badFile{name: "pin too short", spoil: pins(func(d []byte) []byte { return append(d, "abcd\n"...) })}),
		same(reason.TrustPinsMalformed, badFile{name: "pins are garbage", spoil: pins(func([]byte) []byte { return bytes.Repeat([]byte{'x'}, 1<<17) })}),
		same(reason.TrustRootNotPinned, badFile{name: "pins removed", spoil: func(t *testing.T, _ *testpki.Country, dir string) { remove(t, filepath.Join(dir, "pins.txt")) }}),
		same(reason.TrustNoRoots, badFile{name: "roots removed", spoil: func(t *testing.T, _ *testpki.Country, dir string) { remove(t, filepath.Join(dir, "roots")) }}),
		same(reason.TrustCertMalformed, badFile{name: "intermediate is garbage", spoil: func(t *testing.T, _ *testpki.Country, dir string) {
			write(t, filepath.Join(dir, "intermediates", "x.cer"), []byte{0x30, 0x03, 0x02, 0x01, 0x05})
		}}),
		same(reason.TrustRootUnsuitable, badFile{name: "pinned root is a person", spoil: func(t *testing.T, c *testpki.Country, dir string) {
			p := c.Person("ip").Certificate
			write(t, filepath.Join(dir, "roots", "ip.cer"), p.Raw)
			edit(t, filepath.Join(dir, "pins.txt"), func(d []byte) []byte { return fmt.Appendf(d, "%x\n", p.SHA256()) })
		}}),
		same(reason.TrustRootUnsuitable, badFile{name: "pinned root is a person who signed for himself", spoil: func(t *testing.T, c *testpki.Country, dir string) {
			key := must(gost3410.GenerateKey(gost3410.TC26256A(), nil))(t)
			raw := must(gostx509.Create(nil, gostx509.Template{
				Subject:   c.Person("ip").Certificate.Subject,
				NotBefore: moment.Add(-time.Hour), NotAfter: moment.Add(time.Hour),
				KeyUsage: gostx509.KeyUsageDigitalSignature,
			}, nil, key.Public(), key))(t)
			write(t, filepath.Join(dir, "roots", "self.cer"), raw)
			edit(t, filepath.Join(dir, "pins.txt"), func(d []byte) []byte { return fmt.Appendf(d, "%x\n", sha256.Sum256(raw)) })
		}}),
		same(reason.TrustRootUnsuitable, badFile{name: "pinned root is not self-signed", spoil: func(t *testing.T, c *testpki.Country, dir string) {
			ca := c.Authority("fns").Certificate
			write(t, filepath.Join(dir, "roots", "fns.cer"), ca.Raw)
			edit(t, filepath.Join(dir, "pins.txt"), func(d []byte) []byte { return fmt.Appendf(d, "%x\n", ca.SHA256()) })
		}}),
		same(reason.TrustDirMissing, badFile{name: "directory removed", spoil: func(t *testing.T, _ *testpki.Country, dir string) { remove(t, dir) }}),
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// TestReloadKeepsLastGood spoils a trust directory in every way and sees that the
// previous snapshot stays in force, with one sentence and a code of the catalogue.
func TestReloadKeepsLastGood(t *testing.T) {
	c := newCountry(t, "last good", moment)
	for _, bad := range append(append(badTSLs(), badCRLs()...), badRoots()...) {
		t.Run(bad.name, func(t *testing.T) {
			dir := trustDir(t, c)
			s := loaded(t, dir)
			before := s.Current()
			bad.spoil(t, c, dir)

			err := s.Reload(t.Context())
			if got := reason.Of(err); got != bad.code {
				t.Errorf("Reload: code %q, want %q (%v)", got, bad.code, err)
			}
			checkSentence(t, err)
			if s.Current() != before {
				t.Error("the snapshot was replaced")
			}

			first, err := certs.Load(t.Context(), certs.Source{Dir: dir}, moment)
			if got := reason.Of(err); got != bad.first {
				t.Errorf("first Load: code %q, want %q (%v)", got, bad.first, err)
			}
			if (first == nil) != (err != nil) {
				t.Errorf("Load returned both or neither: %v, %v", first, err)
			}
			if bad.quarantined != "" {
				if q := first.Quarantined(); len(q) != 1 || q[0].Code != bad.quarantined {
					t.Errorf("quarantined %v, want one %q", q, bad.quarantined)
				}
			}
		})
	}
}

// checkSentence checks that an error is one line and its code is in the catalogue.
func checkSentence(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	if _, ok := reason.Lookup(reason.Of(err)); !ok {
		t.Errorf("%q is not in the catalogue", reason.Of(err))
	}
}

// TestReloadAfterRepair sees that a repaired directory is taken again.
func TestReloadAfterRepair(t *testing.T) {
	c := newCountry(t, "repair", moment)
	dir := trustDir(t, c)
	s := loaded(t, dir)
	good := read(t, filepath.Join(dir, "tsl.xml"))
	write(t, filepath.Join(dir, "tsl.xml"), half(good))
	if err := s.Reload(t.Context()); err == nil {
		t.Fatal("half a list was taken")
	}
	resign(func(l *tsl.Content) { l.Version += 2 }, "head-256")(t, c, dir)
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, ok := s.Current().TSLVersion(); !ok || v != c.TSLContent().Version+2 {
		t.Errorf("version %d, %v", v, ok)
	}
}

// TestCRLMayGoWithItsCA sees that a list may disappear together with its CA, and
// when it is stale.
func TestCRLMayGoWithItsCA(t *testing.T) {
	c := newCountry(t, "gone", moment)
	dir := trustDir(t, c)
	s := loaded(t, dir)
	remove(t, filepath.Join(dir, "crls", "unlisted.crl"))
	remove(t, filepath.Join(dir, "intermediates", "unlisted.pem"))
	if err := s.Reload(t.Context()); err != nil {
		t.Error(err)
	}

	later := certs.NewStore(certs.Source{Dir: dir}, func() time.Time { return moment.Add(2 * testpki.Life) })
	if err := later.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(later.Current().Stale(moment.Add(2*testpki.Life))) == 0 {
		t.Error("no list is stale")
	}
	remove(t, filepath.Join(dir, "crls", "fns.crl"))
	if err := later.Reload(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStoreBeforeFirstLoad sees that an empty store trusts nobody.
func TestStoreBeforeFirstLoad(t *testing.T) {
	s := certs.NewStore(certs.Source{Dir: filepath.Join(t.TempDir(), "absent")}, now)
	if got := s.Current(); got == nil || got.ID() != "" || got.Trust().Roots.Len() != 0 || !got.LoadedAt().IsZero() || got.Age(moment) != 0 {
		t.Errorf("%+v", got)
	}
	if err := s.Reload(t.Context()); reason.Of(err) != reason.TrustDirMissing {
		t.Error(err)
	}
	if s.Current().ID() != "" {
		t.Error("something was loaded")
	}
}

// TestReloadCancelled sees that a cancelled reload changes nothing.
func TestReloadCancelled(t *testing.T) {
	s := loaded(t, trustDir(t, newCountry(t, "cancel", moment)))
	before := s.Current()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Reload(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s.Current() != before {
		t.Error("the snapshot was replaced")
	}
}

// TestSwapUnderLoad swaps snapshots while readers build on them. Each snapshot a
// reader takes must be whole: list version and identifier belong together.
func TestSwapUnderLoad(t *testing.T) {
	c := newCountry(t, "load", moment)
	dir := trustDir(t, c)
	s := loaded(t, dir)
	versions := sync.Map{} // ID → version
	v, _ := s.Current().TSLVersion()
	versions.Store(s.Current().ID(), v)

	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := 0
			for ctx.Err() == nil {
				snap := s.Current()
				is, ok := snap.TSLVersion()
				if !ok || is < last {
					t.Errorf("version %d after %d", is, last)
					return
				}
				last = is
				if want, known := versions.Load(snap.ID()); known && want != is {
					t.Errorf("snapshot %s has version %d, want %d", snap.ID(), is, want)
				}
				if snap.Trust().Roots.Len() != 2 || snap.Trust().ID != snap.ID() {
					t.Error("half a snapshot")
				}
			}
		})
	}
	for i := range 6 {
		resign(func(l *tsl.Content) { l.Version += i }, "head-256")(t, c, dir)
		if i%3 == 2 {
			edit(t, filepath.Join(dir, "tsl.xml"), half)
		}
		if err := s.Reload(t.Context()); (err != nil) != (i%3 == 2) {
			t.Errorf("reload %d: %v", i, err)
		}
		v, _ := s.Current().TSLVersion()
		versions.Store(s.Current().ID(), v)
	}
	cancel()
	readers.Wait()
}

// TestWatch sees that changes are taken and that a lasting failure is reported
// once.
func TestWatch(t *testing.T) {
	c := newCountry(t, "watch", moment)
	dir := trustDir(t, c)
	s := certs.NewStore(certs.Source{Dir: dir}, now)
	reports := make(chan error, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Watch(ctx, time.Millisecond, func(err error) { reports <- err }) }()

	next := func(what string) error {
		t.Helper()
		select {
		case err := <-reports:
			return err
		case <-time.After(20 * time.Second):
			t.Fatal("no report: " + what)
			return nil
		}
	}
	if err := next("first load"); err != nil {
		t.Fatal(err)
	}
	// Files are replaced whole, as an operator should: Watch may look at any time.
	replace := func(name string, data []byte) {
		t.Helper()
		tmp := filepath.Join(dir, ".new")
		write(t, tmp, data)
		if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	good := read(t, filepath.Join(dir, "tsl.xml"))
	replace("tsl.xml", half(good))
	if err := next("half a list"); err == nil {
		t.Fatal("half a list was taken")
	}
	time.Sleep(50 * time.Millisecond)
	if len(reports) != 0 {
		t.Errorf("the same failure was reported again: %v", <-reports)
	}
	replace("tsl.xml", good)
	if err := next("repaired list"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
