package cades

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Material is what a signature must carry so that it can be judged without a
// network: the certificates of the CAs above everybody who signed, time-stamping
// authorities included, up to and with the root, and for each certificate but the
// root a revocation list or an OCSP response. The zero value is nothing.
type Material struct {
	// Certificates in any order. Those of the signer and of time-stamping authorities
	// may be among them.
	Certificates []*gostx509.Certificate
	// CRLs are revocation lists in DER.
	CRLs [][]byte
	// OCSPs are answers in DER: each a BasicOCSPResponse (RFC 6960, Section 4.2.1).
	OCSPs [][]byte
}

var (
	errNoCertificate = errors.New("cades: the certificate of the signer is not in the file")
	errNoIssuer      = errors.New("cades: the certificate of an issuer is missing")
	errNoRevocation  = errors.New("cades: revocation data are missing")
	errNoTSA         = errors.New("cades: the certificate of a time-stamping authority is missing")
)

// ExtendXLongType1 returns the file, in DER, with a CAdES-T signature made CAdES-X
// Long Type 1, the long-term form that CryptoPro tools make: references to the
// certificates and revocation data it is judged with, these data themselves, and a
// time-stamp over signature, earlier time-stamps and references (RFC 5126, Sections
// 6.2, 6.3.3, 6.3.4 and 6.3.5). It can then be judged without a network.
//
// Data that are incomplete are refused with reason.MaterialMissing; that they are
// good is for the caller to know. A signature without a time-stamp is refused with
// reason.NoTimeStamp, one that is extended already with reason.SignatureSealed.
// Errors are otherwise as of [ExtendT].
func ExtendXLongType1(ctx context.Context, file []byte, signer int, stamper Stamper, material Material) ([]byte, error) {
	t, err := open(file, signer)
	if err != nil {
		return nil, err
	}
	a := &t.a
	switch {
	case !a.hasKind(SignatureTimeStamp):
		return nil, reason.New(reason.NoTimeStamp, errNoStamp)
	case len(a.TimeStamps) != len(a.tokens(SignatureTimeStamp))+len(a.tokens(ContentTimeStamp)),
		a.CertificateRefs != nil, a.RevocationRefs != nil, a.HasCertificateValues, a.HasRevocationValues:
		return nil, reason.New(reason.SignatureSealed, errExtended)
	}
	evidence, err := t.evidence(material)
	if err != nil {
		return nil, err
	}
	attributes, err := evidence.attributes(t.digest())
	if err != nil {
		return nil, err
	}
	if t, err = t.extend(cms.Addition{Attributes: attributes}); err != nil {
		return nil, err
	}
	return t.stamp(ctx, ESCTimeStamp, stamper)
}

// evidence is the material of one signature in the order in which it is referred
// to.
type evidence struct {
	// certificates begin with that of the signer.
	certificates []*gostx509.Certificate
	// ends are the certificates of the signer and of those who made time-stamps: all
	// above them must be there.
	ends      []*gostx509.Certificate
	lists     []*crl.List
	rawLists  [][]byte // as lists
	responses []*ocsp.Response
}

// evidence puts the material in order and makes sure that nothing is missing.
func (t target) evidence(m Material) (*evidence, error) {
	certs, _ := t.sd.X509()
	signer := t.sd.Verify(cms.Content{}, certs)[t.number].Certificate
	if signer == nil {
		return nil, reason.New(reason.SignerCertMissing, errNoCertificate)
	}
	e := &evidence{rawLists: m.CRLs, ends: []*gostx509.Certificate{signer}}
	e.include(signer)
	e.include(m.Certificates...)
	for _, ts := range t.a.TimeStamps {
		certs, _ := ts.Token.Signed.X509()
		e.include(certs...)
		tsa := ts.Token.Signed.Verify(cms.Content{}, e.certificates)[0].Certificate
		if tsa == nil {
			return nil, reason.New(reason.MaterialMissing, errNoTSA)
		}
		e.ends = append(e.ends, tsa)
	}
	for _, raw := range m.CRLs {
		list, err := crl.Parse(raw)
		if err != nil {
			return nil, err
		}
		e.lists = append(e.lists, list)
	}
	for _, raw := range m.OCSPs {
		response, err := ocsp.ParseBasic(raw)
		if err != nil {
			return nil, err
		}
		e.responses = append(e.responses, response)
	}
	return e, e.complete()
}

// with returns the material together with what the file holds already. What cannot
// be read there proves nothing, and hinders nothing.
func (t target) with(m Material) Material {
	all := Material{Certificates: slices.Clone(m.Certificates), CRLs: slices.Clone(m.CRLs), OCSPs: slices.Clone(m.OCSPs)}
	for _, raw := range slices.Concat(t.a.Certificates, t.sd.Certificates) {
		if cert, err := gostx509.Parse(raw); err == nil {
			all.Certificates = append(all.Certificates, cert)
		}
	}
	for _, raw := range slices.Concat(t.a.CRLs, t.sd.CRLs) {
		if _, err := crl.Parse(raw); err == nil {
			all.CRLs = append(all.CRLs, raw)
		}
	}
	for _, raw := range slices.Concat(t.a.Responses, t.sd.OCSPResponses) {
		if response, err := ocsp.Parse(raw); err == nil {
			all.OCSPs = append(all.OCSPs, response.RawBasic)
		}
	}
	return all
}

// include puts in certificates, each once.
func (e *evidence) include(certs ...*gostx509.Certificate) {
	for _, cert := range certs {
		if !slices.ContainsFunc(e.certificates, cert.Equal) {
			e.certificates = append(e.certificates, cert)
		}
	}
}

// complete checks that everybody who signed has a path of issuers up to a root, with
// revocation data for each certificate below it.
func (e *evidence) complete() error {
	for _, cert := range e.ends {
		for range e.certificates { // no path is longer
			if isRoot(cert) {
				break
			}
			issuer := e.issuer(cert)
			name := fmt.Sprintf("certificate %x", cert.Serial)
			if issuer == nil {
				return reason.New(reason.MaterialMissing, fmt.Errorf("%w: %s", errNoIssuer, name))
			}
			if lists, responses := e.about(cert); len(lists)+len(responses) == 0 {
				return reason.New(reason.MaterialMissing, fmt.Errorf("%w: %s", errNoRevocation, name))
			}
			cert = issuer
		}
	}
	return nil
}

func isRoot(cert *gostx509.Certificate) bool { return bytes.Equal(cert.RawIssuer, cert.RawSubject) }

// issuer returns the certificate of the issuer, nil if there is none. Several may
// have the name; the key identifier tells them apart.
func (e *evidence) issuer(cert *gostx509.Certificate) *gostx509.Certificate {
	for _, c := range e.certificates {
		id := cert.AuthorityKeyID.KeyID
		if bytes.Equal(c.RawSubject, cert.RawIssuer) && (id == nil || c.SubjectKeyID == nil || bytes.Equal(id, c.SubjectKeyID)) {
			return c
		}
	}
	return nil
}

// about returns the numbers of the lists of the issuer of a certificate, and of the
// responses about it.
func (e *evidence) about(cert *gostx509.Certificate) (lists, responses []int) {
	for i, list := range e.lists {
		if bytes.Equal(list.RawIssuer(), cert.RawIssuer) {
			lists = append(lists, i)
		}
	}
	issuer := e.issuer(cert)
	for i, response := range e.responses {
		if issuer == nil {
			break
		}
		if _, found := response.Lookup(cert, issuer); found {
			responses = append(responses, i)
		}
	}
	return lists, responses
}

// attributes writes references and values, all with digests in one algorithm.
func (e *evidence) attributes(algorithm asn1.ObjectIdentifier) ([]cms.Attribute, error) {
	w := refWriter{evidence: e, id: sigalg.AlgorithmIdentifier{Algorithm: algorithm}}
	var all []cms.Attribute
	for _, a := range []struct {
		oid   string
		write func(*cryptobyte.Builder)
	}{
		{oidCertificateRefs, w.certificateRefs},
		{oidRevocationRefs, w.revocationRefs},
		{oidCertificateValues, w.certificateValues},
		{oidRevocationValues, w.revocationValues},
	} {
		var b cryptobyte.Builder
		a.write(&b)
		raw, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		all = append(all, cms.Attribute{Type: der.OID(a.oid), Values: raw})
	}
	return all, nil
}

// refWriter writes references and values.
type refWriter struct {
	*evidence
	id sigalg.AlgorithmIdentifier
}

// certificateRefs writes CompleteCertificateRefs: all certificates but that of the
// signer (RFC 5126, Section 6.2.1).
func (w refWriter) certificateRefs(b *cryptobyte.Builder) {
	sequence(b, func(b *cryptobyte.Builder) {
		for _, cert := range w.certificates[1:] {
			sequence(b, func(b *cryptobyte.Builder) { // OtherCertID
				w.addHash(b, cert.Raw)
				sequence(b, func(b *cryptobyte.Builder) { // IssuerSerial
					sequence(b, func(b *cryptobyte.Builder) {
						b.AddASN1(cbasn1.Tag(der.Constructed(4)), func(b *cryptobyte.Builder) { b.AddBytes(cert.RawIssuer) })
					})
					b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(cert.Serial) })
				})
			})
		}
	})
}

// revocationRefs writes CompleteRevocationRefs: an element for the certificate of
// the signer, then one for each reference to a certificate (RFC 5126, Section
// 6.2.2). That of a root is empty.
func (w refWriter) revocationRefs(b *cryptobyte.Builder) {
	sequence(b, func(b *cryptobyte.Builder) {
		for _, cert := range w.certificates {
			var lists, responses []int
			if !isRoot(cert) {
				lists, responses = w.about(cert)
			}
			sequence(b, func(b *cryptobyte.Builder) { // CrlOcspRef
				w.listRefs(b, lists)
				w.responseRefs(b, responses)
			})
		}
	})
}

// listRefs writes crlids [0] CRLListID, if there are any.
func (w refWriter) listRefs(b *cryptobyte.Builder, lists []int) {
	if len(lists) == 0 {
		return
	}
	explicit(b, 0, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			for _, i := range lists {
				sequence(b, func(b *cryptobyte.Builder) { // CrlValidatedID
					w.addHash(b, w.rawLists[i])
					sequence(b, func(b *cryptobyte.Builder) { // CrlIdentifier
						b.AddBytes(w.lists[i].RawIssuer())
						b.AddASN1UTCTime(w.lists[i].ThisUpdate())
						if number := w.lists[i].Number(); number != nil {
							b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(number) })
						}
					})
				})
			}
		})
	})
}

// responseRefs writes ocspids [1] OcspListID, if there are any.
func (w refWriter) responseRefs(b *cryptobyte.Builder, responses []int) {
	if len(responses) == 0 {
		return
	}
	explicit(b, 1, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			for _, i := range responses {
				r := w.responses[i]
				sequence(b, func(b *cryptobyte.Builder) { // OcspResponsesID
					sequence(b, func(b *cryptobyte.Builder) { // OcspIdentifier
						addResponder(b, r)
						b.AddASN1GeneralizedTime(r.ProducedAt)
					})
					w.addHash(b, r.RawBasic)
				})
			}
		})
	})
}

// addResponder writes ResponderID: RFC 6960, Section 4.2.1.
func addResponder(b *cryptobyte.Builder, r *ocsp.Response) {
	if r.ResponderName != nil {
		b.AddASN1(cbasn1.Tag(der.Constructed(1)), func(b *cryptobyte.Builder) { b.AddBytes(r.ResponderName) })
		return
	}
	b.AddASN1(cbasn1.Tag(der.Constructed(2)), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.ResponderKeyHash) })
}

// certificateValues writes CertificateValues: RFC 5126, Section 6.3.3.
func (w refWriter) certificateValues(b *cryptobyte.Builder) {
	sequence(b, func(b *cryptobyte.Builder) {
		for _, cert := range w.certificates {
			b.AddBytes(cert.Raw)
		}
	})
}

// revocationValues writes RevocationValues: RFC 5126, Section 6.3.4.
func (w refWriter) revocationValues(b *cryptobyte.Builder) {
	sequence(b, func(b *cryptobyte.Builder) {
		if len(w.rawLists) > 0 {
			explicit(b, 0, func(b *cryptobyte.Builder) {
				for _, raw := range w.rawLists {
					b.AddBytes(raw)
				}
			})
		}
		if len(w.responses) > 0 {
			explicit(b, 1, func(b *cryptobyte.Builder) {
				for _, r := range w.responses {
					b.AddBytes(r.RawBasic)
				}
			})
		}
	})
}

// addHash writes OtherHash as OtherHashAlgAndValue: RFC 5126, Section 5.7.3.3.
func (w refWriter) addHash(b *cryptobyte.Builder, data []byte) {
	id, err := w.id.Marshal()
	if err != nil {
		b.SetError(err)
		return
	}
	h, err := sigalg.NewHash(w.id.Algorithm)
	if err != nil {
		b.SetError(err)
		return
	}
	h.Write(data)
	sequence(b, func(b *cryptobyte.Builder) {
		b.AddBytes(id)
		b.AddASN1OctetString(h.Sum(nil))
	})
}

func sequence(b *cryptobyte.Builder, content func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.SEQUENCE, content)
}

// explicit writes a SEQUENCE under an EXPLICIT tag.
func explicit(b *cryptobyte.Builder, n uint8, content func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.Tag(der.Constructed(n)), func(b *cryptobyte.Builder) { sequence(b, content) })
}
