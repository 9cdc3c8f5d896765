package cms

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"encoding/asn1"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// The identifiers that openssl never misuses and these tests do.
var (
	idContentType     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	idMessageDigest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	idSigningTime     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	idCounter         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	idProtection      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	idSigningCert     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	idSigningCertV2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	idTimeStamp       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	idSignedData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	null              = []byte{5, 0}
	tagContext0       = cbasn1.Tag(0).ContextSpecific().Constructed()
	tagContext1       = cbasn1.Tag(1).ContextSpecific().Constructed()
	tagContext0Simple = cbasn1.Tag(0).ContextSpecific()
)

// attribute is one attribute to write; each value is DER.
type attribute struct {
	id     asn1.ObjectIdentifier
	values [][]byte
}

// forgery says what a signature shall contain. Start from a good one.
type forgery struct {
	version       int64
	digests       []sigalg.AlgorithmIdentifier
	contentType   asn1.ObjectIdentifier
	content       []byte // nil: detached
	certificates  [][]byte
	others        [][]byte // raw elements beside the certificates
	signerVersion int64
	keyID         []byte // nil: issuer and serial number
	digest        sigalg.AlgorithmIdentifier
	signature     sigalg.AlgorithmIdentifier
	signed        []attribute // nil: none
	unsigned      []attribute

	cert *gostx509.Certificate
	key  *gost3410.PrivateKey
}

// goodForgery returns a signature that passes, made by a fresh key.
func goodForgery(t testing.TB) *forgery {
	t.Helper()
	cert, key := newSigner(t, gost3410.TC26256A(), "Подписант Тестовый")
	streebog := sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDStreebog256}
	return &forgery{
		version: 1, signerVersion: 1, contentType: idData, content: document,
		digests: []sigalg.AlgorithmIdentifier{streebog}, digest: streebog,
		signature:    sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDKeyGOST256},
		certificates: [][]byte{cert.Raw}, cert: cert, key: key,
		signed: []attribute{
			{idContentType, [][]byte{asn(t, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(idData) })}},
			{idMessageDigest, [][]byte{octets(t, digestOf(t, sigalg.OIDStreebog256, document))}},
		},
	}
}

// newSigner makes a key and a self-signed certificate.
func newSigner(t testing.TB, curve *gost3410.Curve, name string) (*gostx509.Certificate, *gost3410.PrivateKey) {
	t.Helper()
	key, err := gost3410.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := gostx509.Create(rand.Reader, gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: name}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:  gostx509.KeyUsageDigitalSignature, MaxPathLen: -1,
	}, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// asn builds one piece of DER.
func asn(t testing.TB, f func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	f(&b)
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func octets(t testing.TB, value []byte) []byte {
	return asn(t, func(b *cryptobyte.Builder) { b.AddASN1OctetString(value) })
}

func digestOf(t testing.TB, id asn1.ObjectIdentifier, data []byte) []byte {
	t.Helper()
	h, err := sigalg.NewHash(id)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(data)
	return h.Sum(nil)
}

// ess returns the value of a signing-certificate attribute. A zero algorithm
// means that of version 1, or the default one of version 2.
func ess(t testing.TB, cert *gostx509.Certificate, hash sigalg.AlgorithmIdentifier, sum []byte, serial []byte) []byte {
	return asn(t, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					if !hash.IsZero() {
						addAlgorithm(b, hash)
					}
					b.AddASN1OctetString(sum)
					if serial == nil {
						return
					}
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1(cbasn1.Tag(4).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
								b.AddBytes(cert.RawIssuer)
							})
						})
						b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(serial) })
					})
				})
			})
		})
	})
}

func sha1Of(data []byte) []byte {
	sum := sha1.Sum(data)
	return sum[:]
}

// build signs and writes the file.
func (f *forgery) build(t testing.TB) []byte {
	t.Helper()
	var content []byte
	if content = f.content; content == nil {
		content = document
	}
	signed := f.content2sign(t, content)
	h, err := sigalg.NewHash(f.digest.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(signed)
	digest := h.Sum(nil)
	if len(digest) != f.key.PublicKey().Curve().Size() {
		digest = make([]byte, f.key.PublicKey().Curve().Size()) // cannot be signed at all
	}
	signature, err := f.key.Sign(rand.Reader, digest, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	return f.write(t, signature)
}

// content2sign returns the bytes whose digest is signed.
func (f *forgery) content2sign(t testing.TB, content []byte) []byte {
	if f.signed == nil {
		return content
	}
	return asn(t, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addAttributes(b, f.signed) })
	})
}

func addAttributes(b *cryptobyte.Builder, attributes []attribute) {
	for _, a := range attributes {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(a.id)
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				for _, value := range a.values {
					b.AddBytes(value)
				}
			})
		})
	}
}

func addAlgorithm(b *cryptobyte.Builder, id sigalg.AlgorithmIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id.Algorithm)
		b.AddBytes(id.Parameters)
	})
}

// write writes ContentInfo with the given signature.
func (f *forgery) write(t testing.TB, signature []byte) []byte {
	return asn(t, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(idSignedData)
			b.AddASN1(tagContext0, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { f.writeSignedData(b, signature) })
			})
		})
	})
}

func (f *forgery) writeSignedData(b *cryptobyte.Builder, signature []byte) {
	b.AddASN1Int64(f.version)
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		for _, id := range f.digests {
			addAlgorithm(b, id)
		}
	})
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(f.contentType)
		if f.content != nil {
			b.AddASN1(tagContext0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(f.content) })
		}
	})
	if f.certificates != nil || f.others != nil {
		b.AddASN1(tagContext0, func(b *cryptobyte.Builder) {
			for _, raw := range append(f.certificates, f.others...) {
				b.AddBytes(raw)
			}
		})
	}
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		if f.key != nil {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { f.writeSigner(b, signature) })
		}
	})
}

func (f *forgery) writeSigner(b *cryptobyte.Builder, signature []byte) {
	b.AddASN1Int64(f.signerVersion)
	if f.keyID != nil {
		b.AddASN1(tagContext0Simple, func(b *cryptobyte.Builder) { b.AddBytes(f.keyID) })
	} else {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(f.cert.RawIssuer)
			b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(f.cert.Serial) })
		})
	}
	addAlgorithm(b, f.digest)
	if f.signed != nil {
		b.AddASN1(tagContext0, func(b *cryptobyte.Builder) { addAttributes(b, f.signed) })
	}
	addAlgorithm(b, f.signature)
	b.AddASN1OctetString(signature)
	if f.unsigned != nil {
		b.AddASN1(tagContext1, func(b *cryptobyte.Builder) { addAttributes(b, f.unsigned) })
	}
}
