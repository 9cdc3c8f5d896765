package api

import (
	"io"
	"net/http"
	"slices"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/filekind"
)

// maxFormParts is how many parts the form of one signature may have.
const maxFormParts = 16

// readVerify reads a signature, and its document if that came beside it: as the parts
// of a form, as one object of JSON, or the signature alone as the body.
func (a *API) readVerify(r *http.Request, held *account) (judge, error) {
	media, boundary, err := mediaType(r.Header, append([]string{typeForm, typeJSON}, signatureTypes()...)...)
	if err != nil {
		return nil, err
	}
	p := &packer{account: held, maxHeld: a.opts.MaxBody}
	switch media {
	case typeForm:
		err = p.form(r.Body, boundary)
	case typeJSON:
		err = a.oneItem(r, held, &p.parcel, fieldSignature, fieldContent)
	default:
		err = p.signature(r.Body, r.ContentLength)
	}
	if err != nil {
		return nil, err
	}
	return signatures(&p.parcel)
}

// Names of fields.
const (
	fieldSignature   = "signature"
	fieldContent     = "content"
	fieldDigest      = "digest"
	fieldDigests     = "digests"
	fieldCertificate = "certificate"
	fieldID          = "id"
	fieldLang        = "lang"
)

// form reads the two parts of a form, in any order.
func (p *packer) form(body io.Reader, boundary string) error {
	fields := make(seen)
	return eachPart(body, boundary, maxFormParts, func(name string, part io.Reader) error {
		if err := fields.first(name, fieldSignature, fieldContent); err != nil {
			return err
		}
		if name == fieldSignature {
			return p.signature(part, -1)
		}
		return p.document(part)
	})
}

// oneItem reads a body that is one object of JSON.
func (a *API) oneItem(r *http.Request, held *account, p *parcel, known ...string) error {
	d := newDecoder(held.reader(http.MaxBytesReader(nil, r.Body, a.opts.MaxBody)))
	_, err := d.item(p, known...)
	if err == nil {
		err = d.end()
	}
	return tooLongForMemory(err)
}

// item reads one object with a signature. Those of the known fields that were not sent
// are absent from fields.
func (d decoder) item(p *parcel, known ...string) (id string, err error) {
	fields := make(seen)
	err = d.object(func(name string) (err error) {
		if err := fields.first(name, known...); err != nil {
			return err
		}
		switch name {
		case fieldSignature:
			p.file, err = d.base64(name)
		case fieldContent:
			p.head, err = d.base64(name)
			p.given, p.content = true, cms.Document(p.head)
		case fieldDigests:
			p.content, err = d.digests()
		case fieldID:
			id, err = d.text()
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if fields[fieldContent] && fields[fieldDigests] {
		return "", reason.Errorf(reason.RequestFieldRepeated, "send one of %q and %q", fieldContent, fieldDigests)
	}
	if slices.Contains(known, fieldDigests) && !slices.Contains(known, fieldContent) && !fields[fieldDigests] {
		return "", reason.Errorf(reason.RequestFieldMissing, "the field %q is absent", fieldDigests)
	}
	return id, nil
}

// readCertificate reads a certificate: as the part of a form, in JSON, or as the body.
func (a *API) readCertificate(r *http.Request, held *account) (judge, error) {
	media, boundary, err := mediaType(r.Header, append([]string{typeForm, typeJSON}, certificateTypes()...)...)
	if err != nil {
		return nil, err
	}
	body := http.MaxBytesReader(nil, r.Body, a.opts.MaxBody)
	var file []byte
	fields := make(seen)
	switch media {
	case typeForm:
		err = eachPart(body, boundary, maxFormParts, func(name string, part io.Reader) (err error) {
			if err = fields.first(name, fieldCertificate); err == nil {
				file, _, err = held.hold(part, a.opts.MaxBody, -1)
			}
			return err
		})
	case typeJSON:
		d := newDecoder(held.reader(body))
		err = d.object(func(name string) (err error) {
			if err = fields.first(name, fieldCertificate); err == nil {
				file, err = d.base64(name)
			}
			return err
		})
		if err == nil {
			err = d.end()
		}
	default:
		file, _, err = held.hold(body, a.opts.MaxBody, r.ContentLength)
	}
	if err != nil {
		return nil, err
	}
	return certificates(file)
}

// certificates returns the judge of a certificate.
func certificates(file []byte) (judge, error) {
	if len(file) == 0 {
		return nil, reason.Errorf(reason.RequestFieldMissing, "the field %q is absent or empty", fieldCertificate)
	}
	if code := filekind.Secret(file); code != "" {
		return nil, reason.New(code, nil)
	}
	if raw, err := der.Decode(file, "CERTIFICATE"); err == nil {
		file = raw // otherwise the validator says what is wrong
	}
	return func(by basis) judgement {
		c := by.validator().Certificate(file, nil, by.now)
		return judgement{"certificate", c.Verdict, c.Engine.String(), report.Certificate(c, by.shown, by.now)}
	}, nil
}
