package server

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"propusk/gost/gosttls"
	"propusk/pki/reason"
	"propusk/server/config"
	"propusk/tokens/keyring"
	"propusk/tokens/uri"
)

// safe opens keys and secrets where the configuration says that they are: in files, or in
// tokens, which it keeps open.
type safe struct {
	hsm  config.HSM
	ring *keyring.Ring
}

func newSafe(hsm config.HSM, log *slog.Logger) safe {
	changed := func(what string, err error) {
		if err != nil {
			log.LogAttrs(context.Background(), slog.LevelError, "token with keys of the gateway lost; what needs them fails until it is back",
				slog.String("token", what), slog.String("code", string(reason.Of(err))), slog.String("err", err.Error()))
			return
		}
		log.LogAttrs(context.Background(), slog.LevelInfo, "token with keys of the gateway is back", slog.String("token", what))
	}
	return safe{hsm, keyring.New(keyring.Options{Sessions: hsm.Sessions, Changed: changed})}
}

// gost returns the certificate of a chain of GOST R 34.10-2012 with its key.
func (s safe) gost(chainFile, key string) (gosttls.Certificate, error) {
	chain, err := os.ReadFile(chainFile)
	if err != nil {
		return gosttls.Certificate{}, err
	}
	var cert gosttls.Certificate
	if uri.Is(key) {
		var inside *keyring.Key
		if inside, err = within(s, key, s.ring.Key); err != nil {
			return gosttls.Certificate{}, err
		}
		cert, err = gosttls.NewCertificate(pemChain(chain), inside)
	} else {
		var data []byte
		if data, err = os.ReadFile(key); err != nil {
			return gosttls.Certificate{}, err
		}
		defer clear(data)
		cert, err = gosttls.ParseKeyPair(chain, data)
	}
	if err != nil {
		return gosttls.Certificate{}, fmt.Errorf("%s with %s: %w", chainFile, key, err)
	}
	return cert, nil
}

// suites says which suites of the configuration a host cannot speak, because of what its key
// in a token can do. It is an error if none is left.
func (k hostKeys) suites(g config.GOSTTLS) (missing []string, err error) {
	all := g.SuiteIDs()
	for _, id := range all {
		if !k.gost.Serves(id) {
			missing = append(missing, gosttls.CipherSuiteName(id))
		}
	}
	if len(missing) == len(all) {
		return nil, fmt.Errorf("the key can do none of gost_tls.suites; one that only signs does those of TLS 1.3 (MGM): %s", strings.Join(missing, ", "))
	}
	return missing, nil
}

// ordinary returns the certificate of a chain of ECDSA or RSA with its key.
func (s safe) ordinary(chainFile, key string) (tls.Certificate, error) {
	if !uri.Is(key) {
		return tls.LoadX509KeyPair(chainFile, key)
	}
	data, err := os.ReadFile(chainFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	signer, err := within(s, key, s.ring.Signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	chain := pemChain(data)
	if len(chain) == 0 {
		return tls.Certificate{}, fmt.Errorf("%s: no PEM block CERTIFICATE", chainFile)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s: %w", chainFile, err)
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(signer.Public()) {
		return tls.Certificate{}, fmt.Errorf("%s with %s: the private key does not belong to the certificate", chainFile, key)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: signer, Leaf: leaf}, nil
}

// secret reads a secret. The caller wipes it.
func (s safe) secret(place string) ([]byte, error) {
	if uri.Is(place) {
		return within(s, place, s.ring.Data)
	}
	return os.ReadFile(place)
}

// within opens what a URI names. The error says what to do as well, on one line, for whoever
// reads the log or `propusk config check`.
func within[T any](s safe, place string, open func(uri.URI) (T, error)) (T, error) {
	var none T
	u, err := s.hsm.URI(place)
	if err != nil {
		return none, err
	}
	opened, err := open(u)
	if err == nil {
		return opened, nil
	}
	if code, ok := errors.AsType[reason.Code](err); ok {
		if entry, known := reason.Lookup(code); known {
			return none, fmt.Errorf("%s: %w (%s)", place, err, entry.EN)
		}
	}
	return none, fmt.Errorf("%s: %w", place, err)
}

// pemChain returns the certificates of a PEM file.
func pemChain(data []byte) [][]byte {
	var chain [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		}
	}
	return chain
}
