package server

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"propusk/gost/gosttls"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/report"
	"propusk/server/config"
)

// keys are the secrets that the configuration names.
type keys struct {
	public, signIn hostKeys
	token          crypto.Signer // nil when none is configured
	subject        []byte
	clients        []string        // by index of the client; empty for a public one
	reports        *cms.Signatory  // nil when reports are not signed
	challenge      []crypto.Signer // of requests to agents
}

// hostKeys are the certificates of one host.
type hostKeys struct {
	gost     gosttls.Certificate
	ordinary tls.Certificate
}

// loadKeys reads all files, and reports all mistakes at once by field.
func loadKeys(c config.Config) (keys, error) {
	var k keys
	var errs []error
	note := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("server: %s: %w", field, err))
		}
	}
	var err error
	k.public, err = loadHost(c.Public.TLS)
	note("public.tls", err)
	k.signIn, err = loadHost(c.SignIn.TLS)
	note("signin.tls", err)
	k.token, err = loadSigner(c.OIDC.Key)
	note("oidc.key", err)
	k.subject, err = loadHex(c.OIDC.SubjectSecret)
	note("oidc.subject_secret", err)
	for i, client := range c.OIDC.Clients {
		secret, err := loadSecret(client.SecretFile)
		note("oidc.clients["+strconv.Itoa(i)+"].secret_file", err)
		k.clients = append(k.clients, secret)
	}
	for i, file := range c.Challenge.Keys {
		key, err := loadSigner(file)
		note("challenge.keys["+strconv.Itoa(i)+"]", err)
		k.challenge = append(k.challenge, key)
	}
	k.reports, err = loadSignatory(c.Report)
	note("report", err)
	return k, errors.Join(errs...)
}

// loadSignatory reads who signs reports, and sees whether the key can; nil when
// nobody does.
func loadSignatory(r config.Report) (*cms.Signatory, error) {
	if !r.Configured() {
		return nil, nil
	}
	chain, err := os.ReadFile(r.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(r.Key)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	pair, err := gosttls.ParseKeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", r.Certificate, r.Key, err)
	}
	var certs []*gostx509.Certificate
	for _, raw := range pair.Chain {
		cert, err := gostx509.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Certificate, err)
		}
		certs = append(certs, cert)
	}
	by := cms.Signatory{Key: pair.PrivateKey, Certificate: certs[0], Chain: certs[1:]}
	if _, err := report.Sign(nil, &report.Document{}, by); err != nil {
		return nil, fmt.Errorf("%s with %s: %w", r.Certificate, r.Key, err)
	}
	return &by, nil
}

func loadHost(t config.TLS) (hostKeys, error) {
	var k hostKeys
	var err error
	if k.ordinary, err = tls.LoadX509KeyPair(t.Certificate, t.Key); err != nil {
		return hostKeys{}, err
	}
	cert, err := os.ReadFile(t.GOSTCertificate)
	if err != nil {
		return hostKeys{}, err
	}
	key, err := os.ReadFile(t.GOSTKey)
	if err != nil {
		return hostKeys{}, err
	}
	if k.gost, err = gosttls.ParseKeyPair(cert, key); err != nil {
		return hostKeys{}, fmt.Errorf("%s with %s: %w", t.GOSTCertificate, t.GOSTKey, err)
	}
	return k, nil
}

// loadSigner reads a PKCS#8 key from a PEM file; no file, no key.
func loadSigner(file string) (crypto.Signer, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("%s: one PEM block PRIVATE KEY (PKCS#8) is wanted", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: the key cannot sign", file)
	}
	return signer, nil
}

func loadHex(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil {
		return nil, fmt.Errorf("%s: hexadecimal digits are wanted", file) // not what was read
	}
	return secret, nil
}

// minClientSecret is the shortest secret of a client, in characters.
const minClientSecret = 16

// loadSecret reads the secret of a client; no file, no secret.
func loadSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(data))
	// RFC 6749, Section 10.10: what a person chooses can be guessed.
	if len(secret) < minClientSecret {
		return "", fmt.Errorf("%s: a client secret must have at least %d characters", file, minClientSecret)
	}
	return secret, nil
}
