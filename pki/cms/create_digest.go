package cms

import (
	"io"

	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Digests of one document, in software order. A digest that nobody signs with may be
// nil.
type Digests struct {
	Streebog256 []byte // 32 bytes
	Streebog512 []byte // 64 bytes
}

// CreateDigest is CreateDetached for a document that is known by its digests alone: for
// those who sign what they never hold. The digest that the keys of the signatories go
// with must be there, else the error is a *reason.Error with reason.ContentMissing.
//
// The caller vouches that the digests are of the document that the signatories agreed to.
func CreateDigest(random io.Reader, digests Digests, by ...Signatory) ([]byte, error) {
	if err := ready(by); err != nil {
		return nil, err
	}
	var sums []contentDigest
	for _, algorithm := range algorithmsOf(by) {
		sum, size := digests.Streebog256, 32
		if algorithm.Equal(sigalg.OIDStreebog512) {
			sum, size = digests.Streebog512, 64
		}
		if len(sum) != size {
			return nil, reason.Errorf(reason.ContentMissing, "cms: the digest has %d bytes and the key wants %d", len(sum), size)
		}
		sums = append(sums, contentDigest{algorithm, sum})
	}
	content, err := encapsulate(nil)
	if err != nil {
		return nil, err
	}
	m := &message{version: 1, content: content}
	return m.signAll(random, []byte(oidData), sums, by)
}
