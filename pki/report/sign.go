package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"propusk/pki/cms"
)

// Signed is a verdict document with the signature of who made it: the receipt
// that another service may keep. As JSON both fields are base64.
type Signed struct {
	// Report is the document in JSON. The signature is over exactly these bytes.
	Report []byte `json:"report"`
	// Signature is a detached CAdES-BES signature in DER.
	Signature []byte `json:"signature"`
}

// Sign writes a document as JSON and signs it (63-ФЗ, ст. 5). If the signatory has
// no Time, the signature claims the moment of the verification. A nil random means
// crypto/rand. The errors are those of [cms.CreateDetached]; whether the
// certificate is in force is not asked, see [cms.Suitable].
//
// It is safe for concurrent use if the key is.
func Sign(random io.Reader, d *Document, by cms.Signatory) (Signed, error) {
	text, err := JSON(d)
	if err != nil {
		return Signed{}, err
	}
	if by.Time.IsZero() {
		by.Time = d.VerifiedAt
	}
	signature, err := cms.CreateDetached(random, bytes.NewReader(text), by)
	if err != nil {
		return Signed{}, fmt.Errorf("sign the report: %w", err)
	}
	return Signed{Report: text, Signature: signature}, nil
}

// JSON writes a document as it is signed and stored: indented, characters of HTML
// as they are, with a newline at the end. The same document always gives the same
// bytes.
func JSON(d *Document) ([]byte, error) {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(d); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return text.Bytes(), nil
}
