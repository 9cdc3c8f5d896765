package cms

import (
	"encoding/asn1"
	"hash"
	"io"

	"propusk/pki/sigalg"
)

// streamBuffer is the length in bytes of the pieces in which documents are read.
const streamBuffer = 64 << 10

// Stream reads a document to its end, in constant memory, and computes its digests
// with the given algorithms, each once; without algorithms, with all that
// signatures are verified with. Give it those of the signers where they are known
// before the document is: every digest costs a pass of the processor.
//
// The result stands for the document in [SignedData.Verify]. An unknown algorithm
// is an error, and so is one of the reader, which is returned as it is.
func Stream(r io.Reader, algorithms ...asn1.ObjectIdentifier) (Content, error) {
	if len(algorithms) == 0 {
		algorithms = usedDigests()
	}
	var d passing
	for _, id := range algorithms {
		if err := d.add(id); err != nil {
			return Content{}, err
		}
	}
	if _, err := io.CopyBuffer(&d, onlyReader{r}, make([]byte, streamBuffer)); err != nil {
		return Content{}, err
	}
	return d.content(), nil
}

// onlyReader hides other methods, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }

// usedDigests returns the digest algorithms of suites, each once.
func usedDigests() []asn1.ObjectIdentifier {
	var all []asn1.ObjectIdentifier
	for _, s := range suites {
		if !contains(all, s.digest) {
			all = append(all, s.digest)
		}
	}
	return all
}

// passing is a document on its way past: an io.Writer that keeps digests, not
// the document.
type passing struct {
	algorithms []asn1.ObjectIdentifier
	hashes     []hash.Hash
	length     int64
	head       []byte // for isAttributes
}

// add lets the document be hashed with one more algorithm, before its first byte.
func (d *passing) add(id asn1.ObjectIdentifier) error {
	if contains(d.algorithms, id) {
		return nil
	}
	h, err := sigalg.NewHash(id)
	if err != nil {
		return err
	}
	d.algorithms, d.hashes = append(d.algorithms, id), append(d.hashes, h)
	return nil
}

// Write implements io.Writer. It never fails.
func (d *passing) Write(piece []byte) (int, error) {
	d.take(piece)
	return len(piece), nil
}

// take takes the next piece.
func (d *passing) take(piece []byte) {
	d.length += int64(len(piece))
	if room := attributesHead - len(d.head); room > 0 {
		d.head = append(d.head, piece[:min(room, len(piece))]...)
	}
	for _, h := range d.hashes {
		h.Write(piece)
	}
}

// content returns what is known of the document after its last piece.
func (d *passing) content() Content {
	c := Content{passed: true, attributes: isAttributes(d.head, d.length)}
	for i, h := range d.hashes {
		c.digests = append(c.digests, contentDigest{d.algorithms[i], h.Sum(nil)})
	}
	return c
}
