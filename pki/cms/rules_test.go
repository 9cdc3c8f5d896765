package cms

import (
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// rule is one deviation from a good signature and what must come of it.
type rule struct {
	name  string
	spoil func(t *testing.T, f *forgery)
	check string // empty: everything passes
	code  reason.Code
	level Level
}

// unknownCodes are the reasons that make a check indeterminate.
var unknownCodes = []reason.Code{
	reason.SignatureAlgorithmUnsupported, reason.SignerCertMissing, reason.CertKeyUnsupported,
}

func (r rule) run(t *testing.T) {
	f := goodForgery(t)
	r.spoil(t, f)
	got := verifyOne(t, f.build(t), Content{})
	all := slices.Concat(got.Math, got.Format)
	if r.check == "" {
		if !allPassed(all) || statusOf(all, CheckSignature) == nil {
			t.Errorf("%+v", all)
		}
	} else {
		status := verdict.Failed
		if slices.Contains(unknownCodes, r.code) {
			status = verdict.Indeterminate
		}
		wantCheck(t, all, r.check, status, r.code)
	}
	if r.level != "" && got.Level != r.level {
		t.Errorf("level %s, want %s", got.Level, r.level)
	}
}

// TestRules breaks one rule at a time.
func TestRules(t *testing.T) {
	for _, group := range [][]rule{attributeRules(), algorithmRules(), formatRules(), signingCertificateRules()} {
		for _, r := range group {
			t.Run(r.name, r.run)
		}
	}
}

func attributeRules() []rule {
	value := func(t *testing.T, id asn1.ObjectIdentifier) []byte {
		return asn(t, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
	}
	return []rule{
		{"good", func(*testing.T, *forgery) {}, "", "", Plain},
		{"attributes not in DER order", func(_ *testing.T, f *forgery) {
			f.signed[0], f.signed[1] = f.signed[1], f.signed[0]
		}, "", "", Plain},
		{"no attributes", func(_ *testing.T, f *forgery) { f.signed = nil }, "", "", Plain},
		{"no content-type", func(_ *testing.T, f *forgery) { f.signed = f.signed[1:] }, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"no message-digest", func(_ *testing.T, f *forgery) { f.signed = f.signed[:1] }, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"no message-digest, content", func(_ *testing.T, f *forgery) { f.signed = f.signed[:1] }, CheckContent, reason.ContentChanged, ""},
		{"two message-digests", func(_ *testing.T, f *forgery) { f.signed = append(f.signed, f.signed[1]) }, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"two values of message-digest", func(_ *testing.T, f *forgery) {
			f.signed[1].values = append(f.signed[1].values, f.signed[1].values[0])
		}, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"no value of message-digest", func(_ *testing.T, f *forgery) { f.signed[1].values = nil }, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"message-digest of another type", func(_ *testing.T, f *forgery) { f.signed[1].values = [][]byte{null} }, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"two values of content-type", func(t *testing.T, f *forgery) {
			f.signed[0].values = append(f.signed[0].values, value(t, idData))
		}, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"another content-type signed", func(t *testing.T, f *forgery) {
			f.signed[0].values = [][]byte{value(t, idSignedData)}
		}, CheckAttributes, reason.ContentTypeMismatch, ""},
		{"another content-type in the file", func(_ *testing.T, f *forgery) {
			f.contentType, f.version = idSignedData, 3
		}, CheckAttributes, reason.ContentTypeMismatch, ""},
		{"two values of signing-time", func(t *testing.T, f *forgery) {
			now := asn(t, func(b *cryptobyte.Builder) { b.AddASN1UTCTime(time.Now()) })
			f.signed = append(f.signed, attribute{idSigningTime, [][]byte{now, now}})
		}, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"counter-signature under the signature", func(_ *testing.T, f *forgery) {
			f.signed = append(f.signed, attribute{idCounter, [][]byte{null}})
		}, CheckAttributes, reason.SignatureAttributesBad, ""},
		{"unknown attribute", func(_ *testing.T, f *forgery) {
			f.signed = append(f.signed, attribute{asn1.ObjectIdentifier{1, 2, 3, 4}, [][]byte{null, null}})
		}, "", "", Plain},
	}
}

func algorithmRules() []rule {
	id := func(oid asn1.ObjectIdentifier, parameters ...byte) sigalg.AlgorithmIdentifier {
		return sigalg.AlgorithmIdentifier{Algorithm: oid, Parameters: parameters}
	}
	protect := func(digest, signature sigalg.AlgorithmIdentifier) func(*testing.T, *forgery) {
		return func(t *testing.T, f *forgery) {
			value := asn(t, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					addAlgorithm(b, digest)
					b.AddASN1(tagContext1, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(signature.Algorithm)
						b.AddBytes(signature.Parameters)
					})
				})
			})
			f.signed = append(f.signed, attribute{idProtection, [][]byte{value}})
		}
	}
	setDigest := func(a sigalg.AlgorithmIdentifier) func(*testing.T, *forgery) {
		return func(_ *testing.T, f *forgery) { f.digest = a; f.digests = append(f.digests, a) }
	}
	setSignature := func(a sigalg.AlgorithmIdentifier) func(*testing.T, *forgery) {
		return func(_ *testing.T, f *forgery) { f.signature = a }
	}
	return []rule{
		{"NULL parameters", func(_ *testing.T, f *forgery) {
			f.digest.Parameters, f.signature.Parameters, f.digests[0].Parameters = null, null, null
		}, "", "", ""},
		{"algorithm of the pair", setSignature(id(sigalg.OIDGOST256WithStreebog)), "", "", ""},
		{"512-bit signature algorithm", setSignature(id(sigalg.OIDKeyGOST512)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"2001 signature algorithm", setSignature(id(sigalg.OIDGOST2001WithGOST94)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"RSA signature algorithm", setSignature(id(sigalg.OIDKeyRSA)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"unknown signature algorithm", setSignature(id(asn1.ObjectIdentifier{1, 2, 3})), CheckAlgorithm, reason.SignatureAlgorithmUnsupported, ""},
		{"unknown signature algorithm with parameters", setSignature(id(asn1.ObjectIdentifier{1, 2, 3}, 4, 0)), CheckAlgorithm, reason.SignatureAlgorithmUnsupported, ""},
		{"parameters of the signature algorithm", setSignature(id(sigalg.OIDKeyGOST256, 4, 0)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"512-bit digest", setDigest(id(sigalg.OIDStreebog512)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"digest of 1994", setDigest(id(sigalg.OIDGOST94)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"SHA-256", setDigest(id(sigalg.OIDSHA256)), CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"parameters of the digest", func(_ *testing.T, f *forgery) { f.digest.Parameters = []byte{4, 0} }, CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
		{"protected", protect(id(sigalg.OIDStreebog256), id(sigalg.OIDKeyGOST256)), "", "", ""},
		{"protected with NULL", protect(id(sigalg.OIDStreebog256, 5, 0), id(sigalg.OIDKeyGOST256, 5, 0)), "", "", ""},
		{"another digest protected", protect(id(sigalg.OIDStreebog512), id(sigalg.OIDKeyGOST256)), CheckAttributes, reason.SignatureAlgorithmMismatch, ""},
		{"another signature protected", protect(id(sigalg.OIDStreebog256), id(sigalg.OIDGOST256WithStreebog)), CheckAttributes, reason.SignatureAlgorithmMismatch, ""},
	}
}

func formatRules() []rule {
	bad := reason.SignatureFormatBad
	version := func(v int64) func(*testing.T, *forgery) {
		return func(_ *testing.T, f *forgery) { f.version = v }
	}
	other := func(tag byte, v int64) func(*testing.T, *forgery) {
		return func(_ *testing.T, f *forgery) { f.others, f.version = [][]byte{{tag, 0}}, v }
	}
	return []rule{
		{"version 0", version(0), CheckFormat, bad, ""},
		{"version 3 without need", version(3), CheckFormat, bad, ""},
		{"attribute certificate v1", other(0xa1, 3), "", "", ""},
		{"attribute certificate v2", other(0xa2, 4), "", "", ""},
		{"another kind of certificate", other(0xa3, 5), "", "", ""},
		{"another kind of certificate, version 1", other(0xa3, 1), CheckFormat, bad, ""},
		{"signer version 3", func(_ *testing.T, f *forgery) { f.signerVersion, f.version = 3, 3 }, CheckFormat, bad, ""},
		{"key identifier", func(_ *testing.T, f *forgery) {
			f.keyID, f.signerVersion, f.version = f.cert.SubjectKeyID, 3, 3
		}, "", "", ""},
		{"key identifier with version 1", func(_ *testing.T, f *forgery) { f.keyID = f.cert.SubjectKeyID }, CheckFormat, bad, ""},
		{"empty key identifier", func(_ *testing.T, f *forgery) {
			f.keyID, f.signerVersion, f.version = []byte{}, 3, 3
		}, CheckSigner, reason.SignerCertMissing, ""},
		{"typed content without attributes", func(_ *testing.T, f *forgery) {
			f.signed, f.contentType, f.version = nil, idSignedData, 3
		}, CheckFormat, bad, ""},
		{"digest not listed", func(_ *testing.T, f *forgery) { f.digests = nil }, CheckFormat, bad, ""},
		{"listed digest with parameters", func(_ *testing.T, f *forgery) { f.digests[0].Parameters = []byte{4, 0} }, CheckFormat, bad, ""},
		{"time-stamp", func(_ *testing.T, f *forgery) { f.unsigned = []attribute{{idTimeStamp, [][]byte{null}}} }, "", "", ""},
		{"unsigned message-digest", func(_ *testing.T, f *forgery) {
			f.unsigned = []attribute{{idMessageDigest, [][]byte{null}}}
		}, CheckFormat, bad, ""},
		{"unsigned algorithm protection", func(_ *testing.T, f *forgery) {
			f.unsigned = []attribute{{idProtection, [][]byte{null}}}
		}, CheckFormat, bad, ""},
		{"no certificate", func(_ *testing.T, f *forgery) { f.certificates = nil }, CheckSigner, reason.SignerCertMissing, ""},
		{"certificate of another", func(t *testing.T, f *forgery) {
			other, _ := newSigner(t, gost3410.TC26256A(), "Другой Тестовый")
			f.certificates = [][]byte{other.Raw}
		}, CheckSigner, reason.SignerCertMissing, ""},
		{"named certificate of another", func(t *testing.T, f *forgery) {
			other, _ := newSigner(t, gost3410.TC26256A(), "Другой Тестовый")
			f.certificates, f.cert = [][]byte{other.Raw}, other
		}, CheckSignature, reason.SignatureBad, ""},
		{"named certificate with a longer key", func(t *testing.T, f *forgery) {
			other, _ := newSigner(t, gost3410.TC26512A(), "Другой Тестовый")
			f.certificates, f.cert = [][]byte{other.Raw}, other
		}, CheckAlgorithm, reason.SignatureAlgorithmMismatch, ""},
	}
}

func signingCertificateRules() []rule {
	const name, mismatch = CheckSigningCertificate, reason.SignerCertMismatch
	with := func(id asn1.ObjectIdentifier, value func(t *testing.T, c *gostx509.Certificate) []byte) func(*testing.T, *forgery) {
		return func(t *testing.T, f *forgery) {
			f.signed = append(f.signed, attribute{id, [][]byte{value(t, f.cert)}})
		}
	}
	v2 := func(hash asn1.ObjectIdentifier, spoil bool) func(*testing.T, *forgery) {
		return with(idSigningCertV2, func(t *testing.T, c *gostx509.Certificate) []byte {
			sum := digestOf(t, hash, c.Raw)
			if spoil {
				sum[0] ^= 1
			}
			named := sigalg.AlgorithmIdentifier{Algorithm: hash}
			if hash.Equal(sigalg.OIDSHA256) {
				named = sigalg.AlgorithmIdentifier{}
			}
			return ess(t, c, named, sum, c.Serial)
		})
	}
	v1 := func(serial func(*gostx509.Certificate) []byte) func(*testing.T, *forgery) {
		return with(idSigningCert, func(t *testing.T, c *gostx509.Certificate) []byte {
			return ess(t, c, sigalg.AlgorithmIdentifier{}, sha1Of(c.Raw), serial(c))
		})
	}
	return []rule{
		{"v2 Streebog-256", v2(sigalg.OIDStreebog256, false), "", "", BES},
		{"v2 Streebog-512", v2(sigalg.OIDStreebog512, false), "", "", BES},
		{"v2 SHA-256 by default", v2(sigalg.OIDSHA256, false), "", "", BES},
		{"v2 SHA-384", v2(sigalg.OIDSHA384, false), "", "", BES},
		{"v2 wrong hash", v2(sigalg.OIDStreebog256, true), name, mismatch, BES},
		{"v1", v1(func(c *gostx509.Certificate) []byte { return c.Serial }), "", "", BES},
		{"v1 without serial number", v1(func(*gostx509.Certificate) []byte { return nil }), "", "", BES},
		{"v1 wrong serial number", v1(func(*gostx509.Certificate) []byte { return []byte{1} }), name, mismatch, BES},
		{"v1 wrong hash", with(idSigningCert, func(t *testing.T, c *gostx509.Certificate) []byte {
			return ess(t, c, sigalg.AlgorithmIdentifier{}, sha1Of(document), nil)
		}), name, mismatch, BES},
		{"v1 and v2", func(t *testing.T, f *forgery) {
			v1(func(c *gostx509.Certificate) []byte { return c.Serial })(t, f)
			v2(sigalg.OIDStreebog256, false)(t, f)
		}, "", "", BES},
		{"v1 right and v2 wrong", func(t *testing.T, f *forgery) {
			v1(func(c *gostx509.Certificate) []byte { return c.Serial })(t, f)
			v2(sigalg.OIDStreebog256, true)(t, f)
		}, name, mismatch, BES},
		{"v2 unknown hash", with(idSigningCertV2, func(t *testing.T, c *gostx509.Certificate) []byte {
			return ess(t, c, sigalg.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}, sha1Of(c.Raw), nil)
		}), name, reason.SignatureAlgorithmUnsupported, BES},
		{"v2 hash with parameters", with(idSigningCertV2, func(t *testing.T, c *gostx509.Certificate) []byte {
			named := sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDStreebog256, Parameters: []byte{4, 0}}
			return ess(t, c, named, digestOf(t, sigalg.OIDStreebog256, c.Raw), nil)
		}), name, reason.SignatureAlgorithmUnsupported, BES},
		{"v2 without certificates", with(idSigningCertV2, func(*testing.T, *gostx509.Certificate) []byte {
			return []byte{0x30, 0x02, 0x30, 0x00}
		}), name, reason.SignatureAttributesBad, BES},
		{"v2 empty", with(idSigningCertV2, func(*testing.T, *gostx509.Certificate) []byte { return null }), name, reason.SignatureAttributesBad, BES},
		{"v2 repeated", func(t *testing.T, f *forgery) {
			v2(sigalg.OIDStreebog256, false)(t, f)
			v2(sigalg.OIDStreebog256, false)(t, f)
		}, CheckAttributes, reason.SignatureAttributesBad, BES},
	}
}

// TestShortKey: what is signed with a key too short to be safe proves nothing, and is
// not called wrong either, since nobody looked.
func TestShortKey(t *testing.T) {
	short := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	s := Signer{
		DigestAlgorithm:    sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDSHA256},
		SignatureAlgorithm: sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDRSAWithSHA256},
		Signature:          make([]byte, 128),
	}
	check := s.checkSignature(sigalg.Verifier{}, &gostx509.Certificate{PublicKey: short}, make([]byte, 32))
	wantCheck(t, []verdict.Check{check}, CheckSignature, verdict.Indeterminate, reason.SignatureAlgorithmUnsupported)
}
