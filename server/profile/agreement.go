package profile

import (
	"time"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/page"
	"propusk/server/store"
)

// agreementPage is what the page sees of what the person has signed for the gateway (IP-14,
// IP-28).
type agreementPage struct{ Signed []signedText }

// signedText is one of them.
type signedText struct {
	ID   string
	At   time.Time
	Text string
}

// agreements shows what the person has signed, as he signed it.
func (p *Profile) agreements(c call) {
	var data agreementPage
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) error {
		all, err := tx.EvidenceOf(c.acc.ID)
		for _, e := range all {
			data.Signed = append(data.Signed, signedText{e.ID, e.At, string(e.Text)})
		}
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.show(c, "agreements", page.View{
		Title: page.Text{RU: "Соглашение", EN: "Agreement"},
		Lead: page.Text{
			RU: "Текст, который вы подписали своим ключом. С файлом подписи его может проверить любая программа.",
			EN: "The text that you have signed with your key. With the file of the signature any program can verify it.",
		},
		Data: data,
	})
}

// agreementFile gives out the text, its signature, or the verdict about it: another program
// is to come to the same.
func (p *Profile) agreementFile(c call) {
	q := c.r.URL.Query()
	var found account.Evidence
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) (err error) {
		if found, err = tx.Evidence(q.Get("id")); err == nil && found.Account != c.acc.ID {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	var file []byte
	switch q.Get("file") {
	case "text":
		download(c, "text/plain; charset=utf-8", "agreement.txt")
		file = found.Text
	case "signature":
		download(c, "application/pkcs7-signature", "agreement.txt.sig")
		file = found.Signature
	case "verdict":
		download(c, "application/json", "agreement.verdict.json")
		file = found.Verdict
	default:
		p.fail(c.w, c.r, reason.PageNotFound)
		return
	}
	c.w.Write(file) //nolint:errcheck // the client went away
}
