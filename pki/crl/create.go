package crl

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// Template is what Create writes.
type Template struct {
	// Number is the CRL number; it is left out if it is negative.
	Number int64
	// ThisUpdate and NextUpdate are written to the second; a zero NextUpdate is
	// left out.
	ThisUpdate, NextUpdate time.Time
	// Entries are written in this order. A reason of Unspecified and a zero
	// InvalidSince are left out, as RFC 5280 wants, and so is an Issuer that is
	// that of the entry before.
	Entries []Entry
	// Scope is written unless it is zero.
	Scope Scope
	// Base, if it is positive, makes a delta list on the complete list of that
	// number.
	Base int64
	// Freshest are the addresses of delta lists; none are left out.
	Freshest []string
	// Extra holds further extensions of the list, written as they are.
	Extra []gostx509.Extension
}

// Create makes a list of version 2, signed by the key of issuer, and returns its
// DER. It is for tests and the demo; a nil rand means crypto/rand.
func Create(rand io.Reader, t Template, issuer *gostx509.Certificate, key crypto.Signer) ([]byte, error) {
	alg, err := sigalg.Suits(key.Public())
	if err != nil {
		return nil, fmt.Errorf("create CRL: %w", err)
	}
	algorithm, err := alg.Marshal()
	if err != nil {
		return nil, fmt.Errorf("create CRL: %w", err)
	}
	tbs, err := t.marshal(issuer, algorithm)
	if err != nil {
		return nil, fmt.Errorf("create CRL: %w", err)
	}
	signature, err := sigalg.SignWith(rand, alg, key, tbs)
	if err != nil {
		return nil, fmt.Errorf("create CRL: %w", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(algorithm)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}

// marshal writes TBSCertList.
func (t *Template) marshal(issuer *gostx509.Certificate, algorithm []byte) ([]byte, error) {
	b := cryptobyte.NewBuilder(make([]byte, 0, 1024+64*len(t.Entries)))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddBytes(algorithm)
		b.AddBytes(issuer.RawSubject)
		addTime(b, t.ThisUpdate)
		if !t.NextUpdate.IsZero() {
			addTime(b, t.NextUpdate)
		}
		if len(t.Entries) > 0 {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				issuer := issuer.RawSubject
				for i := range t.Entries {
					e := &t.Entries[i]
					changed := e.Issuer != nil && !bytes.Equal(e.Issuer, issuer)
					if changed {
						issuer = e.Issuer
					}
					addEntry(b, e, changed)
				}
			})
		}
		t.addExtensions(b, issuer)
	})
	return b.Bytes()
}

// addExtensions writes crlExtensions: the key identifier and the number, which
// RFC 5280, Section 5.2, demands, what the template asks for, and the extra ones.
func (t *Template) addExtensions(b *cryptobyte.Builder, issuer *gostx509.Certificate) {
	all := t.extensions(b, issuer)
	if len(all) == 0 {
		return
	}
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, add := range all {
				add(b)
			}
		})
	})
}

// extensions returns what writes each of the extensions. Mistakes go to b.
func (t *Template) extensions(b *cryptobyte.Builder, issuer *gostx509.Certificate) []cryptobyte.BuilderContinuation {
	var all []cryptobyte.BuilderContinuation
	add := func(id string, critical bool, value cryptobyte.BuilderContinuation) {
		all = append(all, func(b *cryptobyte.Builder) { addExtension(b, id, critical, value) })
	}
	if len(issuer.SubjectKeyID) > 0 {
		add(idAuthorityKeyID, false, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(issuer.SubjectKeyID) })
			})
		})
	}
	if t.Number >= 0 {
		add(idCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1Int64(t.Number) })
	}
	if t.Base > 0 {
		add(idDeltaCRLIndicator, true, func(b *cryptobyte.Builder) { b.AddASN1Int64(t.Base) })
	}
	if scope, err := t.Scope.marshal(); err != nil {
		b.SetError(err)
	} else if len(scope) > 2 { // more than an empty SEQUENCE
		add(idIssuingPoint, true, func(b *cryptobyte.Builder) { b.AddBytes(scope) })
	}
	if len(t.Freshest) > 0 {
		add(idFreshestCRL, false, t.addFreshest)
	}
	for _, e := range t.Extra {
		all = append(all, func(b *cryptobyte.Builder) { addExtra(b, e) })
	}
	return all
}

// addFreshest writes one DistributionPoint with all addresses.
func (t *Template) addFreshest(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addURLs(b, t.Freshest) })
			})
		})
	})
}

// addExtra writes an extension as it is.
func addExtra(b *cryptobyte.Builder, e gostx509.Extension) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(e.ID)
		if e.Critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1OctetString(e.Value)
	})
}

// addEntry writes one entry of revokedCertificates, with its issuer if that has
// changed.
func addEntry(b *cryptobyte.Builder, e *Entry, changed bool) {
	if n := len(e.Serial); n == 0 || n > maxSerial {
		b.SetError(errors.New("serial number of a wrong length"))
		return
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(e.Serial) })
		addTime(b, e.RevokedAt)
		if e.Reason == Unspecified && e.InvalidSince.IsZero() && !changed {
			return
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if e.Reason != Unspecified {
				addExtension(b, idReasonCode, false, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(e.Reason)) })
			}
			if !e.InvalidSince.IsZero() {
				addExtension(b, idInvalidityDate, false, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(e.InvalidSince.UTC()) })
			}
			if changed {
				addExtension(b, idCertificateIssuer, true, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(explicit(4), func(b *cryptobyte.Builder) { b.AddBytes(e.Issuer) })
					})
				})
			}
		})
	})
}

// addExtension writes an extension; id is the content of its identifier.
func addExtension(b *cryptobyte.Builder, id string, critical bool, value cryptobyte.BuilderContinuation) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(id)) })
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(asn1.OCTET_STRING, value)
	})
}

// addTime writes Time: UTCTime to the end of 2049 (RFC 5280, Section 5.1.2.4).
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t = t.UTC(); t.Year() >= 1950 && t.Year() < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}
