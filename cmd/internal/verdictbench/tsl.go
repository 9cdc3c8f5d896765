package main

import (
	"context"
	"crypto/sha1" // the list names certificates by it
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"propusk/gost/streebog"
	"propusk/pki/tsl"
	"propusk/pki/xmldsig"
)

// accreditedList makes a signed list of so many CAs with twelve certificates of 2.5 KB
// each. What is in a certificate does not matter: the list is read without looking.
func accreditedList(p publisher, cas int) ([]byte, error) {
	r := rand.NewChaCha8([32]byte{'l', 'i', 's', 't'})
	content := &tsl.Content{Version: 16314, Date: countryDate()}
	for n := range cas {
		ca := &tsl.CA{
			Name: fmt.Sprintf("УЦ № %d Вымышленный", n), OGRN: "1027700132195", INN: "7707083893", RegistryNumber: fmt.Sprint(n),
			Installations: []tsl.Installation{{Alias: "ПАК", Class: "КС2", Tools: "Вымышленное СКЗИ"}},
			History:       []tsl.StatusChange{{Value: tsl.InForce, Since: countryDate().AddDate(-3, 0, 0)}},
		}
		ca.Current = ca.History[0]
		for range 12 {
			c := tsl.NewCertificate(p.cert)
			c.DER = make([]byte, 2500)
			if _, err := r.Read(c.DER); err != nil {
				return nil, err
			}
			c.Thumbprint = sha1.Sum(c.DER)
			ca.Installations[0].Keys = append(ca.Installations[0].Keys, tsl.Key{
				ID: c.DER[:20], CRLs: []string{"http://uc.example.invalid/1.crl"}, Certificates: []tsl.Certificate{c},
			})
		}
		content.CAs = append(content.CAs, ca)
	}
	return tsl.Sign(content, p.key, p.cert.Raw)
}

// accredited measures the list of accredited CAs: all of the work, and its parts. The
// peer makes the canonical form with xmllint and hashes it with gost-engine; it reads
// nothing out of the list.
func accredited(_ context.Context, s setup) ([]*row, error) {
	cas := 500
	if s.short {
		cas = 50
	}
	p, err := newPublisher()
	if err != nil {
		return nil, err
	}
	doc, err := accreditedList(p, cas)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "tsl.xml")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		return nil, err
	}
	load := func() error { _, err := tsl.Verify(doc, p.cert); return err }
	digest := s.library.measure("digest", file)
	name := fmt.Sprintf("list of %d accredited CAs, %.1f MB", cas, float64(len(doc))/1e6)
	return []*row{
		{name: name + ": verified and indexed", ours: loop(load), peer: canonicalAndDigest(file, digest), goal: atMost(300e6)},
		{name: name + ": read only", ours: loop(func() error { _, err := tsl.Parse(doc); return err })},
		{name: name + ": canonical form only", ours: loop(func() error { return xmldsig.Canonicalize(io.Discard, doc, xmldsig.C14N) })},
		{name: name + ": digest only", ours: loop(func() error { streebog.Sum256(doc); return nil }), peer: digest},
		{name: name + ": memory allocated", unit: bytesUsed, ours: fixed(func() (float64, error) { return allocated(load) })},
	}, nil
}

// canonicalAndDigest adds the processor time of xmllint to that of a digest; nil if
// either is absent.
func canonicalAndDigest(file string, digest measure) measure {
	program, err := exec.LookPath("xmllint")
	if err != nil || digest == nil {
		return nil
	}
	return func(ctx context.Context, each time.Duration) (float64, error) {
		cmd := exec.CommandContext(ctx, program, "--huge", "--c14n", file)
		cmd.Stdout = io.Discard
		if err := cmd.Run(); err != nil {
			return 0, fmt.Errorf("xmllint: %w", err)
		}
		ns, err := digest(ctx, each)
		return ns + float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()), err
	}
}

// allocated is how many bytes f allocates.
func allocated(f func() error) (float64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc), err
}
