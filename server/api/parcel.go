package api

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"io"
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/server/filekind"
)

// heldDocument is how long a document may be to be held as it is, in bytes. Longer ones
// are hashed while they arrive.
const heldDocument = 1 << 20

// parcel is a signature and what it was made over, as a request brought them.
type parcel struct {
	file    []byte          // the signature, or its beginning if it was not held
	parsed  *cms.SignedData // the signature, if it was read already
	content cms.Content
	given   bool   // a document came beside the signature
	head    []byte // beginning of that document
}

// judge judges a parcel that mistake finds nothing wrong with.
func (p *parcel) judge(v validate.Validator, now time.Time) validate.Report {
	if p.parsed != nil {
		return v.SignedData(p.parsed, p.content, now)
	}
	return v.Signature(p.file, p.content, now)
}

// mistake says that the files are not what they should be. A file that is nothing we
// know is left to the judge, who says what is wrong with it.
func (p *parcel) mistake() error {
	kind := filekind.Of(p.file)
	for _, file := range [][]byte{p.file, p.head} {
		if code := filekind.Secret(file); code != "" {
			return reason.New(code, nil)
		}
	}
	if kind != filekind.Signature && p.given && filekind.Of(p.head) == filekind.Signature {
		return reason.New(reason.FilesSwapped, nil)
	}
	if len(p.file) == 0 {
		return reason.Errorf(reason.RequestFieldMissing, "the field %q is absent or empty", "signature")
	}
	if kind != filekind.Signature && kind != filekind.Unknown {
		return reason.New(kind, nil)
	}
	return nil
}

// packer makes a parcel out of the parts of a request, in whatever order they come.
type packer struct {
	parcel
	account *account
	maxHeld int64 // how long a signature may be without its document, in bytes
}

// signature reads the signature. One that is too long to be held as it is, is read on
// its way, and only what is not the document inside is held.
func (p *packer) signature(r io.Reader, hint int64) error {
	data, whole, err := p.account.hold(r, min(heldDocument, p.maxHeld), hint)
	if err != nil {
		return err
	}
	p.file = data
	if whole {
		return nil
	}
	p.file = bytes.Clone(data[:min(len(data), filekind.HeadLength)])
	rest := &sticky{from: io.MultiReader(bytes.NewReader(data), r)}
	if kind := filekind.Of(p.file); kind != filekind.Signature && kind != filekind.Unknown {
		return drain(rest) // mistake says what it is
	}
	// What will be held of it is not known yet; it may be as much as this.
	if err := p.account.take(p.maxHeld); err != nil {
		return err
	}
	sd, _, err := cms.ParseStream(rest)
	if err != nil {
		return p.unreadable(rest, err)
	}
	p.parsed = sd
	return nil
}

// unreadable tells a body that ended early from a signature that cannot be read. The
// latter is an answer of the judge.
func (p *packer) unreadable(rest *sticky, err error) error {
	if rest.err != nil {
		return rest.err
	}
	if reason.Of(err) == reason.SignatureTooLarge {
		return reason.Errorf(reason.RequestTooLarge, "the signature without its document is longer than the limit")
	}
	return drain(rest)
}

// document reads the document. A long one is hashed on its way: with the algorithms of
// the signature if that came first, otherwise with all that there are.
func (p *packer) document(r io.Reader) error {
	data, whole, err := p.account.hold(r, min(heldDocument, p.maxHeld), -1)
	if err != nil {
		return err
	}
	p.given, p.head = true, data[:min(len(data), filekind.HeadLength)]
	if whole {
		p.content = cms.Document(data)
		return nil
	}
	p.head = bytes.Clone(p.head)
	rest := io.MultiReader(bytes.NewReader(data), r)
	algorithms, useful := p.algorithms()
	if !useful {
		return drain(rest) // nothing can be compared with it
	}
	p.content, err = cms.Stream(rest, algorithms...)
	return err
}

// algorithms returns what to hash a document with, none for all; and false if there is
// no use in it.
func (p *packer) algorithms() (algorithms []asn1.ObjectIdentifier, useful bool) {
	if p.file == nil {
		return nil, true
	}
	if p.parsed == nil {
		sd, err := cms.Parse(p.file)
		if err != nil {
			return nil, false
		}
		p.parsed = sd
	}
	algorithms = cades.Digests(p.parsed)
	return algorithms, len(algorithms) > 0
}

// drain reads r to its end: whoever is still sending would not read the answer.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// sticky remembers the error that a reader ended with.
type sticky struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (s *sticky) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
