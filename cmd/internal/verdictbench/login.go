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
	"propusk/pki/cms"
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
	person := country.Person("ip")
	challenge := fmt.Appendf(nil, "propusk.example.invalid sign-in %032x", 0x5eed)
	file, err := cms.Create(nil, challenge, cms.Signatory{
		Key: person.Key, Certificate: person.Certificate, Time: countryDate(),
		Chain: []*gostx509.Certificate{person.Issuer.Certificate},
	})
	if err != nil {
		return nil, err
	}
	signature, root := filepath.Join(s.dir, "login.p7s"), filepath.Join(s.dir, "root.cer")
	if err := errors.Join(
		os.WriteFile(signature, file, 0o600),
		os.WriteFile(root, country.Authority("head-256").Certificate.Raw, 0o600),
	); err != nil {
		return nil, err
	}
	var sd cms.SignedData
	fresh := judge{trust: snapshot.Trust(), file: file, at: country.Now().Add(time.Hour)}
	peer := s.library.measure("login", signature, root)
	return []*row{
		{name: fmt.Sprintf("read the CMS of a sign-in, %d bytes", len(file)), peer: s.library.measure("parse", signature), goal: atMost(2000),
			ours: loop(func() error { return sd.Reset(file) })},
		{name: "verdict of a sign-in, nothing known", ours: loop(fresh.verdict), peer: peer, goal: atLeast(5.5)},
	}, nil
}

// judge gives one verdict again and again.
type judge struct {
	trust   validate.Trust
	file    []byte
	content cms.Content
	at      time.Time
}

func (j judge) verdict() error {
	v := validate.Validator{Trust: j.trust, Policy: validate.QES()}
	if got := v.Signature(j.file, j.content, j.at).Verdict(); got.Status() != verdict.Passed {
		return fmt.Errorf("the verdict is %v: %v", got.Status(), got.Why())
	}
	return nil
}
