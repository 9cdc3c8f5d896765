package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"propusk/pki/cms"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// document measures verdicts about a detached signature of a large document.
func document(ctx context.Context, s setup) ([]*row, error) {
	country, snapshot, err := newCountry(ctx, s.dir)
	if err != nil {
		return nil, err
	}
	size := 10_000_000
	if s.short {
		size = 1_000_000
	}
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i)
	}
	person := country.Person("ip")
	file, err := cms.CreateDetached(nil, bytes.NewReader(content), cms.Signatory{
		Key: person.Key, Certificate: person.Certificate, Time: countryDate(),
	})
	if err != nil {
		return nil, err
	}
	signature, roots, text := filepath.Join(s.dir, "document.p7s"), filepath.Join(s.dir, "authorities"), filepath.Join(s.dir, "document")
	if err := errors.Join(
		os.WriteFile(signature, file, 0o600),
		os.WriteFile(roots, append(bytes.Clone(country.Authority("head-256").Certificate.Raw), person.Issuer.Certificate.Raw...), 0o600),
		os.WriteFile(text, content, 0o600),
	); err != nil {
		return nil, err
	}
	peer := s.library.measure("document", signature, roots, text)
	v := validate.Validator{Trust: snapshot.Trust(), Policy: validate.QES()}
	judge := func(streamed bool) func() error {
		return func() error {
			given := cms.Document(content)
			if streamed {
				var err error
				sd, err := cms.Parse(file)
				if err != nil {
					return err
				}
				if given, err = cms.Stream(bytes.NewReader(content), sd.Signers[0].DigestAlgorithm.Algorithm); err != nil {
					return err
				}
			}
			if got := v.Signature(file, given, country.Now().Add(time.Hour)).Verdict(); got.Status() != verdict.Passed {
				return fmt.Errorf("the verdict is %v: %w", got.Status(), got.Why())
			}
			return nil
		}
	}
	name := fmt.Sprintf("verdict of a document of %d MB", size/1_000_000)
	return []*row{
		{name: name + ", in memory", ours: loop(judge(false)), peer: peer, goal: atLeast(2.5)},
		{name: name + ", as a stream", ours: loop(judge(true)), peer: peer, goal: atLeast(2.5)},
	}, nil
}
