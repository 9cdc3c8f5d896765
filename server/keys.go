package server

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"propusk/gost/gosttls"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/report"
	"propusk/server/config"
	"propusk/tokens/uri"
)

// keys are the secrets that the configuration names.
type keys struct {
	safe           safe
	public, signIn hostKeys
	token          crypto.Signer // nil when none is configured
	subject        []byte
	clients        []string        // by index of the client; empty for a public one
	reports        *cms.Signatory  // nil when reports are not signed
	challenge      []crypto.Signer // of requests to agents
	accounts       []byte          // seals what accounts hide; empty without accounts
}

// hostKeys are the certificates of one host.
type hostKeys struct {
	gost     gosttls.Certificate
	ordinary tls.Certificate
}

// loadKeys reads all files and opens all tokens, and reports all mistakes at once by
// field. The tokens stay open.
func loadKeys(c config.Config, log *slog.Logger) (keys, error) {
	k := keys{safe: newSafe(c.HSM, log)}
	var errs []error
	note := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("server: %s: %w", field, err))
		}
	}
	var err error
	k.public, err = k.safe.host(c.Public.TLS)
	note("public.tls", err)
	k.signIn, err = k.safe.host(c.SignIn.TLS)
	note("signin.tls", err)
	for name, host := range map[string]hostKeys{"public": k.public, "signin": k.signIn} {
		if host.gost.PrivateKey == nil {
			continue // its mistake was noted
		}
		missing, err := host.suites(c.GOSTTLS)
		note(name+".tls.gost_key", err)
		if len(missing) > 0 {
			log.LogAttrs(context.Background(), slog.LevelWarn, "suites that the key in the token cannot do are not offered",
				slog.String("host", name), slog.Any("suites", missing))
		}
	}
	k.token, err = k.safe.signer(c.OIDC.Key)
	note("oidc.key", err)
	k.subject, err = k.safe.hex(c.OIDC.SubjectSecret)
	note("oidc.subject_secret", err)
	for i, client := range c.OIDC.Clients {
		secret, err := k.safe.clientSecret(client.SecretFile)
		note("oidc.clients["+strconv.Itoa(i)+"].secret_file", err)
		k.clients = append(k.clients, secret)
	}
	for i, place := range c.Challenge.Keys {
		key, err := k.safe.signer(place)
		note("challenge.keys["+strconv.Itoa(i)+"]", err)
		k.challenge = append(k.challenge, key)
	}
	if c.Accounts.Kept() {
		k.accounts, err = k.safe.hex(c.Accounts.Secret)
		note("accounts.secret", err)
	}
	k.reports, err = k.safe.signatory(c.Report)
	note("report", err)
	if len(errs) > 0 {
		return keys{}, errors.Join(append(errs, k.close())...)
	}
	return k, nil
}

// close ends the tokens, and their keys with them.
func (k keys) close() error { return k.safe.ring.Close() }

// signatory reads who signs reports, and sees whether the key can; nil when nobody does.
func (s safe) signatory(r config.Report) (*cms.Signatory, error) {
	if !r.Configured() {
		return nil, nil
	}
	pair, err := s.gost(r.Certificate, r.Key)
	if err != nil {
		return nil, err
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

func (s safe) host(t config.TLS) (hostKeys, error) {
	var k hostKeys
	var err error
	if k.ordinary, err = s.ordinary(t.Certificate, t.Key); err != nil {
		return hostKeys{}, err
	}
	if k.gost, err = s.gost(t.GOSTCertificate, t.GOSTKey); err != nil {
		return hostKeys{}, err
	}
	return k, nil
}

// signer reads a PKCS#8 key from a PEM file, or opens one in a token; no file, no key.
func (s safe) signer(file string) (crypto.Signer, error) {
	if file == "" {
		return nil, nil
	}
	if uri.Is(file) {
		return within(s, file, func(u uri.URI) (crypto.Signer, error) { return s.ring.Signer(u) })
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

// AccountsSecret reads the secret of accounts that a configuration names, for commands that
// act beside the gateway. A token is opened and closed again.
func AccountsSecret(c config.Config, log *slog.Logger) (secret []byte, err error) {
	s := newSafe(c.HSM, log)
	defer func() { err = errors.Join(err, s.ring.Close()) }()
	if secret, err = s.hex(c.Accounts.Secret); err != nil {
		return nil, fmt.Errorf("server: accounts.secret: %w", err)
	}
	return secret, nil
}

func (s safe) hex(file string) ([]byte, error) {
	data, err := s.secret(file)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	secret, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil {
		return nil, fmt.Errorf("%s: hexadecimal digits are wanted", file) // not what was read
	}
	return secret, nil
}

// minClientSecret is the shortest secret of a client, in characters.
const minClientSecret = 16

// clientSecret reads the secret of a client; no file, no secret.
func (s safe) clientSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := s.secret(file)
	if err != nil {
		return "", err
	}
	defer clear(data)
	secret := strings.TrimSpace(string(data))
	// RFC 6749, Section 10.10: what a person chooses can be guessed.
	if len(secret) < minClientSecret {
		return "", fmt.Errorf("%s: a client secret must have at least %d characters", file, minClientSecret)
	}
	return secret, nil
}
