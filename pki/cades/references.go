package cades

import (
	"crypto/sha1" // of references only, RFC 5126, Section 6.2.1
	"errors"
	"hash"
	"time"

	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// Digest is a digest of something that a reference names: OtherHash of RFC 5126,
// Section 5.7.3.3.
type Digest struct {
	// Algorithm is empty for SHA-1, which has a form of its own.
	Algorithm sigalg.AlgorithmIdentifier
	Hash      []byte
}

// newHash returns nil for an algorithm that is unknown.
func (d Digest) newHash() hash.Hash {
	if d.Algorithm.Algorithm == nil {
		return sha1.New()
	}
	if !plain(d.Algorithm) {
		return nil
	}
	h, err := sigalg.NewHash(d.Algorithm.Algorithm)
	if err != nil {
		return nil
	}
	return h
}

// Strong reports whether nobody can make up something else with the same digest.
func (d Digest) Strong() bool { return d.Algorithm.Algorithm != nil && d.newHash() != nil }

// CertificateRef names a certificate (OtherCertID: RFC 5126, Section 6.2.1).
type CertificateRef struct {
	Digest Digest
	// Serial is the number of the certificate; nil when absent. The name of the
	// issuer beside it is not read: the digest covers it.
	Serial []byte
}

// RevocationRef names a revocation list or an OCSP response (RFC 5126, Section
// 6.2.2).
type RevocationRef struct {
	// OCSP says that it is a response, not a list.
	OCSP bool
	// Digest is of the list, or of the response; its Hash is nil if a response is
	// named by the next fields alone.
	Digest Digest
	// ProducedAt, and one of ResponderName and ResponderKeyHash, are those of the
	// response: as in ocsp.Response.
	ProducedAt                      time.Time
	ResponderName, ResponderKeyHash []byte
}

// readCertificateRefs reads CompleteCertificateRefs.
func readCertificateRefs(top *der.Reader) ([]CertificateRef, error) {
	var all []CertificateRef
	for list := top.Sequence(); list.More(); {
		if len(all) == MaxReferences {
			return nil, errCount
		}
		seq := list.Sequence()
		ref := CertificateRef{Digest: readDigest(&seq)}
		if seq.More() {
			issuerSerial := seq.Sequence()
			issuerSerial.RawTag(der.TagSequence) // GeneralNames
			ref.Serial = issuerSerial.Integer()
			issuerSerial.End()
		}
		seq.End()
		all = append(all, ref)
	}
	return all, nil
}

// readDigest reads OtherHash.
func readDigest(r *der.Reader) Digest {
	if r.Peek(der.TagOctetString) {
		return Digest{Hash: r.OctetString()}
	}
	seq := r.Sequence()
	d := Digest{Algorithm: sigalg.Read(&seq)}
	d.Hash = seq.OctetString()
	seq.End()
	return d
}

// readRevocationRefs reads CompleteRevocationRefs. Which certificate an element is
// about is left: the data themselves say it.
func readRevocationRefs(top *der.Reader) ([]RevocationRef, error) {
	var all []RevocationRef
	add := func(ref RevocationRef) {
		if all = append(all, ref); len(all) > MaxReferences {
			top.Fail(errCount)
		}
	}
	for list := top.Sequence(); list.More(); {
		seq := list.Sequence() // CrlOcspRef
		if seq.Peek(der.Constructed(0)) {
			for crls := oneSequence(&seq, 0); crls.More(); {
				add(readCRLRef(&crls))
			}
		}
		if seq.Peek(der.Constructed(1)) {
			for responses := oneSequence(&seq, 1); responses.More(); {
				add(readOCSPRef(&responses))
			}
		}
		seq.Skip(der.Constructed(2)) // otherRev
		seq.End()
	}
	if len(all) > MaxReferences {
		return nil, errCount
	}
	return all, nil
}

// oneSequence reads [n] { SEQUENCE { SEQUENCE OF … } }: CRLListID and OcspListID,
// whose tag is EXPLICIT as in all of the module.
func oneSequence(r *der.Reader, n uint8) der.Reader {
	explicit := r.Enter(der.Constructed(n))
	id := explicit.Sequence()
	list := id.Sequence()
	id.End()
	explicit.End()
	return list
}

// readCRLRef reads CrlValidatedID.
func readCRLRef(r *der.Reader) RevocationRef {
	seq := r.Sequence()
	ref := RevocationRef{Digest: readDigest(&seq)}
	if seq.More() { // crlIdentifier: the digest says it all
		id := seq.Sequence()
		id.RawTag(der.TagSequence)
		id.Time() // a UTCTime until 2049
		if id.More() {
			id.Integer()
		}
		id.End()
	}
	seq.End()
	return ref
}

// readOCSPRef reads OcspResponsesID.
func readOCSPRef(r *der.Reader) RevocationRef {
	seq := r.Sequence()
	ref := RevocationRef{OCSP: true}
	id := seq.Sequence()
	if id.Peek(der.Constructed(1)) {
		name := id.Enter(der.Constructed(1))
		ref.ResponderName = name.RawTag(der.TagSequence)
		name.End()
	} else {
		key := id.Enter(der.Constructed(2))
		ref.ResponderKeyHash = key.OctetString()
		key.End()
	}
	ref.ProducedAt = id.GeneralizedTimeFraction(der.TagGeneralizedTime)
	id.End()
	if seq.More() {
		ref.Digest = readDigest(&seq)
	}
	seq.End()
	return ref
}

// serialOf reads the number of a certificate: RFC 5280, Section 4.1.
func serialOf(cert []byte) ([]byte, bool) {
	var d der.Decoder
	top := d.Open(cert, limits)
	seq := top.Sequence()
	tbs := seq.Sequence()
	tbs.Skip(der.Constructed(0))
	serial := tbs.Integer()
	return serial, d.Err() == nil
}

// plain reports whether an algorithm has no parameters, or NULL.
func plain(id sigalg.AlgorithmIdentifier) bool {
	return id.Parameters == nil || string(id.Parameters) == "\x05\x00"
}

// certificateValues reads CertificateValues: RFC 5126, Section 6.3.3.
func (p *reader) certificateValues(values []byte) error {
	var d der.Decoder
	top := d.Open(values, limits)
	all, err := sequences(top.Sequence())
	top.End()
	if err = errors.Join(err, d.Err()); err != nil {
		return err
	}
	p.a.Certificates, p.a.HasCertificateValues = all, true
	return nil
}

// revocationValues reads RevocationValues: RFC 5126, Section 6.3.4. Values of other
// kinds are passed over.
func (p *reader) revocationValues(values []byte) error {
	var d der.Decoder
	top := d.Open(values, limits)
	seq := top.Sequence()
	var crls, responses [][]byte
	var errs [2]error
	if seq.Peek(der.Constructed(0)) {
		crls, errs[0] = explicitSequences(&seq, 0)
	}
	if seq.Peek(der.Constructed(1)) {
		responses, errs[1] = explicitSequences(&seq, 1)
	}
	seq.Skip(der.Constructed(2))
	seq.End()
	top.End()
	if err := errors.Join(errs[0], errs[1], d.Err()); err != nil {
		return err
	}
	p.a.CRLs, p.a.Responses, p.a.HasRevocationValues = crls, responses, true
	return nil
}

func explicitSequences(r *der.Reader, n uint8) ([][]byte, error) {
	explicit := r.Enter(der.Constructed(n))
	all, err := sequences(explicit.Sequence())
	explicit.End()
	return all, err
}

// sequences reads SEQUENCE OF something that is a SEQUENCE itself.
func sequences(list der.Reader) ([][]byte, error) {
	var all [][]byte
	for list.More() {
		if len(all) == MaxValues {
			return nil, errCount
		}
		all = append(all, list.RawTag(der.TagSequence))
	}
	return all, nil
}
