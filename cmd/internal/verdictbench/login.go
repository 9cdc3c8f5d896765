package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// countryDate is when the demo country of the measurements is made: signatures are
// the same at every run but for their random numbers.
func countryDate() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// newCountry makes the demo country and loads its trust data from files, as the
// gateway does.
func newCountry(ctx context.Context, dir string) (*testpki.Country, *certs.Snapshot, error) {
	country, err := testpki.New(testpki.Options{Now: countryDate()})
	if err != nil {
		return nil, nil, err
	}
	dir = filepath.Join(dir, "country")
	if err := country.WriteTo(dir); err != nil {
		return nil, nil, err
	}
	manifest, err := testpki.ReadManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	snapshot, err := certs.Load(ctx, certs.Source{Dir: manifest.In(dir).Trust.Dir}, country.Now())
	return country, snapshot, err
}

// login measures verdicts about the signature of a challenge: CAdES-BES with the
// certificates of the signer and of the CA inside, three signatures up to the root. Our
// side gives the whole verdict of the gateway, with revocation, accreditation and the
// rules for qualified certificates; OpenSSL checks the signatures and builds the path.
func login(ctx context.Context, s setup) ([]*row, error) {
	country, snapshot, err := newCountry(ctx, s.dir)
	if err != nil {
		return nil, err
	}
	persons := 1 << 13
	if s.short {
		persons = 1 << 9
	}
	files, err := signIns(country, persons)
	if err != nil {
		return nil, err
	}
	signature, root := filepath.Join(s.dir, "login.p7s"), filepath.Join(s.dir, "root.cer")
	if err := errors.Join(
		os.WriteFile(signature, files[0], 0o600),
		os.WriteFile(root, country.Authority("head-256").Certificate.Raw, 0o600),
	); err != nil {
		return nil, err
	}
	var sd cms.SignedData
	j := judge{trust: snapshot.Trust(), at: country.Now().Add(time.Hour)}
	peer := s.library.measure("login", signature, root)
	return []*row{
		{name: fmt.Sprintf("read the CMS of a sign-in, %d bytes", len(files[0])), peer: s.library.measure("parse", signature), goal: atMost(2000),
			ours: loop(func() error { return sd.Reset(files[0]) })},
		{name: "verdict of a sign-in, nothing known", ours: j.nothingKnown(files[0]), peer: peer, goal: atLeast(5.5)},
		{name: "verdict of a sign-in, CA known", ours: j.authorityKnown(files), peer: peer, goal: atLeast(12)},
		{name: "verdict of a sign-in, certificate known", ours: j.certificateKnown(files[0]), peer: peer, goal: atLeast(16)},
	}, nil
}

// signIns returns the signatures of so many different persons.
func signIns(country *testpki.Country, persons int) ([][]byte, error) {
	like := country.Person("ip")
	template := country.PersonTemplate(like)
	files := make([][]byte, 0, persons)
	for i := range persons {
		template.Serial = fmt.Appendf(nil, "%018d", i)
		someone, err := country.Issue(like.Issuer, template, gost3410.CryptoProA())
		if err != nil {
			return nil, err
		}
		challenge := fmt.Appendf(nil, "propusk.example.invalid sign-in %032x", i)
		file, err := cms.Create(nil, challenge, cms.Signatory{
			Key: someone.Key, Certificate: someone.Certificate, Time: countryDate(),
			Chain: []*gostx509.Certificate{like.Issuer.Certificate},
		})
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// judge gives verdicts about sign-ins.
type judge struct {
	trust validate.Trust
	at    time.Time
	text  []byte // of the last document
}

// verdict gives one, which must be good.
func (j judge) verdict(file []byte) error {
	v := validate.Validator{Trust: j.trust, Policy: validate.QES()}
	if got := v.Signature(file, cms.Content{}, j.at).Verdict(); got.Status() != verdict.Passed {
		return fmt.Errorf("the verdict is %v: %w", got.Status(), got.Why())
	}
	return nil
}

// nothingKnown measures verdicts that check all signatures, each with a key never
// seen before.
func (j judge) nothingKnown(file []byte) measure {
	j.trust.Facts = nil
	return loop(func() error { return j.verdict(file) })
}

// enough is how many verdicts make everything known that can be.
const enough = 8

// authorityKnown measures verdicts about persons never seen before, whose CA was.
func (j judge) authorityKnown(files [][]byte) measure {
	return func(ctx context.Context, each time.Duration) (float64, error) {
		j.trust.Facts = facts.New()
		for _, file := range files[:enough] {
			if err := j.verdict(file); err != nil {
				return 0, err
			}
		}
		next := enough
		return once(ctx, each, len(files)-enough-1, func() error {
			next++
			return j.verdict(files[next-1])
		})
	}
}

// certificateKnown measures verdicts about somebody who returns.
func (j judge) certificateKnown(file []byte) measure {
	j.trust.Facts = facts.New()
	return func(ctx context.Context, each time.Duration) (float64, error) {
		for range enough {
			if err := j.verdict(file); err != nil {
				return 0, err
			}
		}
		return loop(func() error { return j.verdict(file) })(ctx, each)
	}
}
