package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"propusk/cmd/internal/agent"
	"propusk/server/signrequest"
	"propusk/tokens"
)

// settings is the configuration of a person's agent, a YAML file that the commands
// write. An absent field has its default; an unknown one is an error.
type settings struct {
	// Gateways are those that were enrolled.
	Gateways []enrolled `yaml:"gateways"`
	// Modules are PKCS#11 libraries beside those that are found by themselves, each a
	// path or "soft:DIR"; they come first.
	Modules []string `yaml:"modules,omitempty"`
	// SkipInstalled leaves out the libraries of vendors that the machine has.
	SkipInstalled bool `yaml:"skip_installed,omitempty"`
	// Ports are where the agent listens: the first one that is free. Gateways look for
	// agents at these.
	Ports []int `yaml:"ports,omitempty"`
	// Phrase is shown where the PIN is asked for.
	Phrase string `yaml:"phrase,omitempty"`
}

// enrolled is a gateway with its keys pinned.
type enrolled struct {
	URL  string `yaml:"url"`
	Name string `yaml:"name"`
	// Keys are the public keys, uncompressed points of P-256 in base64url.
	Keys []string `yaml:"keys"`
	// CA is the PEM of the CAs that its TLS certificate may be from.
	CA string `yaml:"ca,omitempty"`
}

// defaultPorts are those that gateways look at.
func defaultPorts() []int { return []int{17446, 27446, 37446} }

const (
	maxSettings = 1 << 20 // bytes
	// maxPhrase is the longest phrase, in bytes: one line on a page.
	maxPhrase = 200
)

// settingsFile is where the settings of this user are.
func settingsFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "propusk-agent", "config.yaml"), nil
}

// readSettings returns the settings in a file; those of a file that is not there are the
// default.
func readSettings(path string) (settings, error) {
	s := settings{Ports: defaultPorts()}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return settings{}, err
	}
	defer f.Close()
	if err := checkPrivate(f); err != nil {
		return settings{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err == nil && len(raw) > maxSettings {
		err = fmt.Errorf("longer than %d bytes", maxSettings)
	}
	if err != nil {
		return settings{}, fmt.Errorf("%s: %w", path, err)
	}
	in := yaml.NewDecoder(bytes.NewReader(raw))
	in.KnownFields(true)
	if err := in.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return settings{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return settings{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s settings) check() error {
	if len(s.Ports) == 0 {
		return errors.New("ports: there must be one")
	}
	for _, p := range s.Ports {
		if p < 1 || p > 65535 {
			return fmt.Errorf("ports: %d is none", p)
		}
	}
	if s.Phrase != "" && (!signrequest.OneLine(s.Phrase) || len(s.Phrase) > maxPhrase) {
		return errors.New("phrase: must be one line that can be seen")
	}
	_, err := s.gateways()
	return err
}

// gateways returns the gateways with their keys read.
func (s settings) gateways() ([]agent.Gateway, error) {
	var all []agent.Gateway
	for _, e := range s.Gateways {
		g := agent.Gateway{Gateway: signrequest.Gateway{URL: e.URL, Name: e.Name}, CA: []byte(e.CA)}
		for _, text := range e.Keys {
			key, err := readKey(text)
			if err != nil {
				return nil, fmt.Errorf("gateway %q: %w", e.URL, err)
			}
			g.Keys = append(g.Keys, key)
		}
		if err := g.Check(); err != nil {
			return nil, fmt.Errorf("gateway %q: %w", e.URL, err)
		}
		all = append(all, g)
	}
	return all, nil
}

func readKey(text string) (signrequest.Key, error) {
	point, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return signrequest.Key{}, errors.New("a key is not in base64url")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return signrequest.Key{}, errors.New("a key is not on P-256")
	}
	return signrequest.NewKey(public)
}

// newEnrolled is what is kept of a gateway.
func newEnrolled(g signrequest.Gateway, ca []byte) (enrolled, error) {
	e := enrolled{URL: g.URL, Name: g.Name, CA: string(ca)}
	for _, key := range g.Keys {
		point, err := key.Public.Bytes()
		if err != nil {
			return enrolled{}, err
		}
		e.Keys = append(e.Keys, base64.RawURLEncoding.EncodeToString(point))
	}
	return e, nil
}

// find returns the gateway of an address; nil if it is not enrolled.
func (s *settings) find(url string) *enrolled {
	for i := range s.Gateways {
		if s.Gateways[i].URL == url {
			return &s.Gateways[i]
		}
	}
	return nil
}

// keyOfAnother returns the address of another gateway that has a key of this one, which
// can be only a copy of it; empty if there is none.
func (s *settings) keyOfAnother(g signrequest.Gateway) string {
	for _, e := range s.Gateways {
		for _, text := range e.Keys {
			key, err := readKey(text)
			if err == nil && e.URL != g.URL && slices.ContainsFunc(g.Keys, func(k signrequest.Key) bool { return k.ID == key.ID }) {
				return e.URL
			}
		}
	}
	return ""
}

// modules are the libraries to use: the configured ones, then the installed ones. That of
// OpenSC comes last: of a token that a vendor's library reaches too it knows less.
func (s settings) modules() []string {
	all := append([]string{}, s.Modules...)
	if s.SkipInstalled {
		return all
	}
	var last []string
	for _, l := range tokens.InstalledLibraries() {
		if strings.Contains(strings.ToLower(l.Paths[0]), "opensc") {
			last = append(last, l.Paths[0])
			continue
		}
		all = append(all, l.Paths[0])
	}
	return append(all, last...)
}

// write puts the settings into a file that only this user can read, at once.
func (s settings) write(path string) error {
	if err := s.check(); err != nil {
		return err
	}
	out, err := yaml.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return replaceFile(path, out, 0o600)
}

// replaceFile writes a file at once, with a mode. What a link points to is replaced, not
// the link; a file or a link that somebody put beside it is not written to.
func replaceFile(path string, content []byte, mode fs.FileMode) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Chmod(f.Name(), mode); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
