package api

import (
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// maxDigests is how many digests of one document may be sent: one for each algorithm
// that we know.
const maxDigests = 6

// digestName is how people call a digest algorithm.
type digestName struct {
	oid   asn1.ObjectIdentifier
	names []string
}

// digestNames are the algorithms of which digests are taken, with the names of RFC
// 6986, OpenSSL, and everyday use, in lower case.
func digestNames() []digestName {
	return []digestName{
		{sigalg.OIDStreebog256, []string{"streebog256", "streebog-256", "md_gost12_256", "gost3411-2012-256"}},
		{sigalg.OIDStreebog512, []string{"streebog512", "streebog-512", "md_gost12_512", "gost3411-2012-512"}},
		{sigalg.OIDGOST94, []string{"gostr94", "md_gost94", "gost3411-94"}},
		{sigalg.OIDSHA256, []string{"sha256", "sha-256"}},
		{sigalg.OIDSHA384, []string{"sha384", "sha-384"}},
		{sigalg.OIDSHA512, []string{"sha512", "sha-512"}},
	}
}

// digestAlgorithm finds an algorithm by name or OID in dotted form.
func digestAlgorithm(name string) (asn1.ObjectIdentifier, error) {
	lower := strings.ToLower(name)
	for _, d := range digestNames() {
		if name == d.oid.String() {
			return d.oid, nil
		}
		for _, known := range d.names {
			if lower == known {
				return d.oid, nil
			}
		}
	}
	return nil, reason.New(reason.DigestAlgorithmUnknown, nil)
}

// digestValue reads a digest in hexadecimal or base64. The two have different lengths,
// so that none is taken for the other.
func digestValue(oid asn1.ObjectIdentifier, text string) ([]byte, error) {
	h, err := sigalg.NewHash(oid)
	if err != nil {
		return nil, reason.New(reason.DigestAlgorithmUnknown, err)
	}
	var value []byte
	if len(text) == hex.EncodedLen(h.Size()) {
		value, err = hex.DecodeString(text)
	} else {
		value, err = base64.StdEncoding.Strict().DecodeString(text)
	}
	if err != nil || len(value) != h.Size() {
		return nil, reason.Errorf(reason.DigestBad, "the digest must be %d bytes in hexadecimal or base64", h.Size())
	}
	return value, nil
}

// digestSet collects the digests of one document.
type digestSet struct {
	content cms.Content
	seen    seen
}

func (s *digestSet) add(algorithm, value string) error {
	oid, err := digestAlgorithm(algorithm)
	if err != nil {
		return err
	}
	if s.seen == nil {
		s.seen = make(seen)
	}
	if s.seen[oid.String()] {
		return reason.Errorf(reason.RequestFieldRepeated, "two digests are of one algorithm")
	}
	s.seen[oid.String()] = true
	digest, err := digestValue(oid, value)
	if err != nil {
		return err
	}
	s.content = s.content.And(oid, digest)
	return nil
}

func (s *digestSet) done() (cms.Content, error) {
	if len(s.seen) == 0 {
		return cms.Content{}, reason.Errorf(reason.RequestFieldMissing, "there is no digest")
	}
	return s.content, nil
}

// digests reads an array of objects with an algorithm and a value.
func (d decoder) digests() (cms.Content, error) {
	var set digestSet
	err := d.array(func() error {
		if len(set.seen) == maxDigests {
			return reason.Errorf(reason.RequestFieldRepeated, "there are more than %d digests", maxDigests)
		}
		algorithm, value, err := d.digest()
		if err != nil {
			return err
		}
		return set.add(algorithm, value)
	})
	if err != nil {
		return cms.Content{}, err
	}
	return set.done()
}

// digest reads one object with an algorithm and a value.
func (d decoder) digest() (algorithm, value string, err error) {
	fields := make(seen)
	err = d.object(func(name string) (err error) {
		if err := fields.first(name, "algorithm", "value"); err != nil {
			return err
		}
		if name == "algorithm" {
			algorithm, err = d.text()
		} else {
			value, err = d.text()
		}
		return err
	})
	if err == nil && len(fields) < 2 {
		err = reason.Errorf(reason.RequestFieldMissing, "a digest needs the fields algorithm and value")
	}
	return algorithm, value, err
}

// readDigest reads a signature and digests of its document: JSON, or a form whose
// parts named digest are "algorithm:value".
func (a *API) readDigest(r *http.Request, held *account) (judge, error) {
	media, boundary, err := mediaType(r.Header, typeForm, typeJSON)
	if err != nil {
		return nil, err
	}
	p := new(parcel)
	if media == typeJSON {
		err = a.oneItem(r, held, p, fieldSignature, fieldDigests)
	} else {
		err = a.digestForm(r, held, p, boundary)
	}
	if err != nil {
		return nil, err
	}
	return signatures(p)
}

// maxDigestField is how long a part with a digest may be, in bytes.
const maxDigestField = 256

func (a *API) digestForm(r *http.Request, held *account, p *parcel, boundary string) error {
	var set digestSet
	fields := make(seen)
	body := http.MaxBytesReader(nil, r.Body, a.opts.MaxBody)
	err := eachPart(body, boundary, maxFormParts, func(name string, part io.Reader) (err error) {
		if name == fieldDigest {
			text, whole, err := held.hold(part, maxDigestField, -1)
			if err != nil {
				return err
			}
			algorithm, value, both := strings.Cut(strings.TrimSpace(string(text)), ":")
			if !whole || !both {
				return reason.Errorf(reason.DigestBad, "a digest is written as algorithm:value")
			}
			return set.add(algorithm, value)
		}
		if err := fields.first(name, fieldSignature, fieldDigest); err != nil {
			return err
		}
		p.file, _, err = held.hold(part, a.opts.MaxBody, -1)
		return err
	})
	if err != nil {
		return err
	}
	p.content, err = set.done()
	return err
}
