package cades

import (
	"bytes"
	"slices"

	"propusk/pki/ocsp"
)

// matcher finds values by their digests. Every value is hashed once with every
// algorithm asked for, so that many references to long lists cost little.
type matcher struct {
	values [][]byte
	// shell returns what else stands for a value; nil if nothing does.
	shell func(value []byte) ([]byte, error)
	sums  map[string]map[string][]byte // by algorithm, then by digest: the value
}

// find returns the value with the digest, nil if there is none.
func (m *matcher) find(d Digest) []byte {
	h := d.newHash()
	if h == nil {
		return nil
	}
	algorithm := d.Algorithm.Algorithm.String()
	sums, known := m.sums[algorithm]
	if !known {
		sums = make(map[string][]byte, len(m.values))
		add := func(data, value []byte) {
			h.Reset()
			h.Write(data)
			sums[string(h.Sum(nil))] = value
		}
		for _, v := range m.values {
			add(v, v)
			if m.shell == nil {
				continue
			}
			if outer, err := m.shell(v); err == nil {
				add(outer, v)
			}
		}
		if m.sums == nil {
			m.sums = make(map[string]map[string][]byte)
		}
		m.sums[algorithm] = sums
	}
	return sums[string(d.Hash)]
}

// match looks for everything that is referred to, and keeps what was found by a
// digest that nobody can imitate: a time-stamp over such references is one over the
// values.
func (a *Attributes) match() {
	a.certificatesFit, a.revocationFits = true, true
	if a.HasCertificateValues {
		a.matchCertificates()
	}
	if a.HasRevocationValues {
		a.matchRevocation()
	}
}

// matchCertificates looks for certificates among certificate-values and those of
// the file.
func (a *Attributes) matchCertificates() {
	m := matcher{values: slices.Concat(a.Certificates, a.sd.Certificates)}
	for _, ref := range a.CertificateRefs {
		cert := m.find(ref.Digest)
		serial, ok := serialOf(cert)
		if cert == nil || !ok || ref.Serial != nil && !bytes.Equal(ref.Serial, serial) {
			a.certificatesFit = false
			continue
		}
		a.referredCertificates = refer(a.referredCertificates, ref.Digest, cert)
	}
}

// matchRevocation looks for lists and responses among revocation-values. Software
// hashes either the BasicOCSPResponse or the OCSPResponse that it came in.
func (a *Attributes) matchRevocation() {
	lists, responses := matcher{values: a.CRLs}, matcher{values: a.Responses, shell: ocsp.Wrap}
	for _, ref := range a.RevocationRefs {
		var value []byte
		switch {
		case !ref.OCSP:
			value = lists.find(ref.Digest)
		case ref.Digest.Hash != nil:
			value = responses.find(ref.Digest)
		default:
			a.revocationFits = a.revocationFits && a.describes(ref)
			continue
		}
		if value == nil {
			a.revocationFits = false
			continue
		}
		a.referredRevocation = refer(a.referredRevocation, ref.Digest, value)
	}
}

func refer(list [][]byte, d Digest, value []byte) [][]byte {
	if !d.Strong() {
		return list
	}
	return append(list, value)
}

// describes reports whether there is a response of the responder and the time that
// a reference without a digest names.
func (a *Attributes) describes(ref RevocationRef) bool {
	for _, raw := range a.Responses {
		response, err := ocsp.ParseBasic(raw)
		if err == nil && response.ProducedAt.Equal(ref.ProducedAt) &&
			bytes.Equal(response.ResponderName, ref.ResponderName) &&
			bytes.Equal(response.ResponderKeyHash, ref.ResponderKeyHash) {
			return true
		}
	}
	return false
}
