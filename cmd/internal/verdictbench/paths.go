package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/verdict"
)

// paths measures how paths are built for all real CA certificates of the list of
// accredited CAs, each read anew, as openssl verify does: without dates and
// revocation. OpenSSL looks for issuers in an X509_STORE, where they are sorted; the
// command verify with -untrusted would go through a list.
func paths(_ context.Context, s setup) ([]*row, error) {
	dir, err := sharedData()
	if err != nil {
		return nil, err
	}
	c, err := readCorpus(filepath.Join(dir, "ca_certs"))
	if err != nil {
		return nil, err
	}
	if s.short {
		c.leaves = c.leaves[:min(100, len(c.leaves))]
	}
	anchors, leaves := filepath.Join(s.dir, "anchors"), filepath.Join(s.dir, "leaves")
	if err := errors.Join(
		os.WriteFile(anchors, c.anchors(), 0o600),
		os.WriteFile(leaves, bytes.Join(c.leaves, nil), 0o600),
	); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("paths of %d real CA certificates", len(c.leaves))
	peer := s.library.measure("paths", anchors, leaves)
	return []*row{
		// The tables are made anew each time: what they cost counts.
		{name: name + ", tables for keys that come back", ours: loop(func() error { return c.build(facts.New()) }), peer: peer, goal: atLeast(5)},
		{name: name + ", each key as if new", ours: loop(func() error { return c.build(nil) }), peer: peer},
	}, nil
}

// corpus is the real CA certificates.
type corpus struct {
	roots, intermediates *path.Pool
	leaves               [][]byte // all of them again, in DER
	found                int      // paths, the last time
}

// readCorpus reads the roots and the certificates of accredited CAs.
func readCorpus(dir string) (*corpus, error) {
	c := &corpus{roots: path.NewPool(), intermediates: path.NewPool()}
	data, err := os.ReadFile(filepath.Join(dir, "roots.pem"))
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		root, err := gostx509.Parse(block.Bytes)
		if err != nil {
			return nil, err
		}
		c.roots.Add(root)
	}
	files, err := filepath.Glob(filepath.Join(dir, "accredited", "*"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		cert, err := gostx509.ParseAny(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.intermediates.Add(cert)
		c.leaves = append(c.leaves, cert.Raw)
	}
	if len(c.leaves) == 0 {
		return nil, fmt.Errorf("no certificates in %s", dir)
	}
	return c, nil
}

// anchors returns what OpenSSL builds with: the roots, and the other certificates but
// those that sign themselves, which an X509_STORE would trust.
func (c *corpus) anchors() []byte {
	var all []byte
	for _, root := range c.roots.Certificates() {
		all = append(all, root.Raw...)
	}
	for _, cert := range c.intermediates.Certificates() {
		if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
			all = append(all, cert.Raw...)
		}
	}
	return all
}

// build builds all paths.
func (c *corpus) build(known *facts.Memory) error {
	c.found = 0
	for _, raw := range c.leaves {
		cert, err := gostx509.Parse(raw)
		if err != nil {
			return err
		}
		result := path.Build(cert, path.Options{
			Roots: c.roots, Intermediates: c.intermediates, At: time.Unix(1, 0), InsecureSkipValidity: true,
			Revocation: path.InsecureSkipRevocation{}, Facts: known,
		})
		if result.Status == verdict.Passed {
			c.found++
		}
	}
	return nil
}

// sharedData finds the data that lie beside the repository, by PROPUSK_SHARED or above
// the working directory.
func sharedData() (string, error) {
	if dir := os.Getenv("PROPUSK_SHARED"); dir != "" {
		return filepath.Join(dir, "data"), nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		shared := filepath.Join(dir, "shared")
		if _, err := os.Stat(filepath.Join(shared, "DESIGN.md")); err == nil {
			return filepath.Join(shared, "data"), nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no real certificates: PROPUSK_SHARED is not set")
		}
		dir = filepath.Dir(dir)
	}
}
