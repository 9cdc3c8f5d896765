package tsp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
)

// tsaConfig makes the openssl command a TSA.
const tsaConfig = `[tsa]
serial = serial
default_policy = 1.2.643.7.99.1
digests = md_gost12_256, md_gost12_512, sha256
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 3
ordering = yes
tsa_name = yes
`

// opensslDigests are the names under which openssl knows ours.
var opensslDigests = []string{"md_gost12_256", "md_gost12_512", "sha256"}

// keyPEM writes a private key as openssl reads it.
func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	switch key := key.(type) {
	case *gost3410.PrivateKey:
		return country.KeyPEM(t, key)
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	default:
		t.Fatalf("a key of type %T", key)
		return nil
	}
}

// write puts what openssl needs into a directory: the data and a TSA.
func write(t testing.TB, a *Authority) string {
	t.Helper()
	dir := t.TempDir()
	openssl.Write(t, dir, "data", stamped)
	openssl.Write(t, dir, "crt", country.CertPEM(a.Certificate))
	openssl.Write(t, dir, "key", keyPEM(t, a.Key))
	openssl.Write(t, dir, "tsa.cnf", []byte(tsaConfig))
	openssl.Write(t, dir, "serial", []byte("81\n"))
	return dir
}

// TestOpenSSLAsks has openssl make requests, which we answer, and verify the
// answers.
func TestOpenSSLAsks(t *testing.T) {
	openssl.Require(t)
	for _, k := range allKeys(t) {
		a := authorityWith(t, k.key, country.TimeStamping())
		dir := write(t, a)
		for i, name := range opensslDigests {
			args := []string{"ts", "-query", "-data", "data", "-" + name, "-out", "query"}
			if i%2 == 0 {
				args = append(args, "-cert", "-tspolicy", policy.String())
			} else {
				args = append(args, "-no_nonce")
			}
			openssl.Run(t, dir, args...)
			query := openssl.Read(t, dir, "query")
			q, err := ParseRequest(query)
			if err != nil {
				t.Fatalf("%s, %s: %v", k.name, name, err)
			}
			if again, err := q.Marshal(); err != nil || !bytes.Equal(again, query) {
				t.Errorf("%s, %s: written again, the request is another: %v", k.name, name, err)
			}
			reply, err := a.Respond(query, stampedAt)
			if err != nil {
				t.Fatal(err)
			}
			openssl.Write(t, dir, "reply", reply)
			openssl.Run(t, dir, "ts", "-verify", "-queryfile", "query", "-in", "reply", "-CAfile", "crt", "-untrusted", "crt",
				"-attime", fmt.Sprint(stampedAt.Unix()))
			openssl.Run(t, dir, "ts", "-verify", "-data", "data", "-in", "reply", "-CAfile", "crt", "-untrusted", "crt",
				"-attime", fmt.Sprint(stampedAt.Unix()))
		}
	}
}

// TestOpenSSLAnswers has openssl answer our requests, and verifies its tokens.
func TestOpenSSLAnswers(t *testing.T) {
	openssl.Require(t)
	template := country.TimeStamping()
	template.NotAfter = time.Now().AddDate(1, 0, 0) // the clock of openssl is the real one
	for _, k := range allKeys(t) {
		a := authorityWith(t, k.key, template)
		dir := write(t, a)
		signs := "sha256"
		if key, ok := k.key.(*gost3410.PrivateKey); ok { // the digest of the size of the key
			signs = opensslDigests[key.PublicKey().Curve().Size()/32-1]
		}
		for _, name := range opensslDigests {
			openssl.Run(t, dir, "ts", "-query", "-data", "data", "-"+name, "-cert", "-out", "query")
			openssl.Run(t, dir, "ts", "-reply", "-queryfile", "query", "-config", "tsa.cnf", "-section", "tsa",
				"-signer", "crt", "-inkey", "key", "-"+signs, "-out", "reply")
			token, err := ParseResponse(openssl.Read(t, dir, "reply"))
			if err != nil {
				t.Fatalf("%s, %s: %v", k.name, name, err)
			}
			q, err := ParseRequest(openssl.Read(t, dir, "query"))
			if err != nil {
				t.Fatal(err)
			}
			if r, err := token.Verify(own(token)); err != nil {
				t.Errorf("%s, %s: %v: %v", k.name, name, err, r.Math)
			}
			if err := token.CheckImprint(stamped); err != nil {
				t.Errorf("%s, %s: %v", k.name, name, err)
			}
			if err := token.answers(q); err != nil {
				t.Errorf("%s, %s: %v", k.name, name, err)
			}
			if !token.Ordering || token.Accuracy != a.Accuracy || token.TSA == nil || len(token.Nonce) == 0 || !token.Policy.Equal(policy) {
				t.Errorf("%s, %s: %+v", k.name, name, token)
			}
		}
	}
}

// TestOpenSSLRefuses reads the refusals of openssl.
func TestOpenSSLRefuses(t *testing.T) {
	openssl.Require(t)
	a := newAuthority(t)
	dir := write(t, a)
	if err := os.WriteFile(filepath.Join(dir, "tsa.cnf"), bytes.ReplaceAll([]byte(tsaConfig), []byte("md_gost12_512, sha256"), []byte("sha1")), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[Failure][]string{
		BadAlg:           {"-sha256"},
		UnacceptedPolicy: {"-md_gost12_256", "-tspolicy", "1.2.3"},
	} {
		openssl.Run(t, dir, append([]string{"ts", "-query", "-data", "data", "-out", "query"}, args...)...)
		openssl.Run(t, dir, "ts", "-reply", "-queryfile", "query", "-config", "tsa.cnf", "-section", "tsa",
			"-signer", "crt", "-inkey", "key", "-md_gost12_256", "-out", "reply")
		_, err := ParseResponse(openssl.Read(t, dir, "reply"))
		if refusal, ok := asRefusal(err); !ok || refusal.Failure != want || refusal.Status != Rejection {
			t.Errorf("%v, want %v", err, want)
		}
	}
}
