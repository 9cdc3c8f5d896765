package profile

import (
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/page"
	"propusk/server/store"
)

// certificate is one of the certificates of an account, for pages.
type certificate struct {
	SHA256  string
	Holder  string
	Kind    page.Text
	Issuer  string
	Serial  string
	From    time.Time
	Until   time.Time
	Bound   time.Time
	Used    time.Time
	Changed time.Time
	// Good signs in, Lost was given up, Removed was taken out; Expired is over.
	Good, Lost, Removed, Expired bool
	// Current is the one of this visit.
	Current bool
}

// certificatesPage is what the page of certificates sees.
type certificatesPage struct {
	Certificates []certificate
	Done         string
}

// certificateOf tells about a certificate. One that cannot be read is told by its fingerprint.
func (p *Profile) certificateOf(c call, k account.Key) certificate {
	out := certificate{
		SHA256: hex.EncodeToString(k.SHA256[:]), Kind: kindName(k.Kind), Until: k.NotAfter, Bound: k.Bound, Used: k.LastUsed,
		Changed: k.Changed, Good: k.State == account.GoodKey, Lost: k.State == account.CompromisedKey,
		Removed: k.State == account.RemovedKey, Expired: !p.opts.Now().Before(k.NotAfter), Current: k.SHA256 == c.visit.CertSHA256,
	}
	if cert, err := gostx509.Parse(k.DER); err == nil {
		out.Issuer, out.From, out.Serial = cert.Issuer.Get(gostx509.OIDCommonName), cert.NotBefore, hex.EncodeToString(cert.Serial)
		if who, err := cert.Identity(); err == nil {
			out.Holder = who.Name.Reveal()
		}
	}
	return out
}

func (p *Profile) certificatesOf(c call) ([]certificate, error) {
	var out []certificate
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) error {
		keys, err := tx.Keys(c.acc.ID)
		for _, k := range keys {
			out = append(out, p.certificateOf(c, k))
		}
		return err
	})
	return out, err
}

// certificates lists them.
func (p *Profile) certificates(c call) {
	list, err := p.certificatesOf(c)
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.show(c, "certificates", page.View{
		Title: page.Text{RU: "Сертификаты", EN: "Certificates"},
		Lead: page.Text{
			RU: "С этими сертификатами вы входите. Новый сертификат добавлять не нужно: войдите с ним, и он появится здесь.",
			EN: "You sign in with these. A new certificate need not be added: sign in with it and it is here.",
		},
		Data: certificatesPage{Certificates: list, Done: c.r.URL.Query().Get("done")},
	})
}

// certificateFile gives a certificate out, as support asks for it (SP-03).
func (p *Profile) certificateFile(c call) {
	var key account.Key
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) (err error) {
		key, err = p.keyOf(tx, c, c.r.URL.Query().Get("sha256"))
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	download(c, "application/pkix-cert", "certificate-"+hex.EncodeToString(key.SHA256[:4])+".cer")
	c.w.Write(key.DER) //nolint:errcheck // the client went away
}

// download writes the header of a file.
func download(c call, media, name string) {
	h := c.w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusOK)
}

// keyOf returns a key of the account by its fingerprint in hexadecimal.
func (p *Profile) keyOf(tx store.Tx, c call, fingerprint string) (account.Key, error) {
	raw, err := hex.DecodeString(fingerprint)
	if err != nil || len(raw) != 32 {
		return account.Key{}, store.ErrNotFound
	}
	key, err := tx.Key([32]byte(raw))
	if err == nil && key.Account != c.acc.ID {
		err = store.ErrNotFound
	}
	return key, err
}

// fingerprintForm is a form about one certificate; "all" is all of them.
func fingerprintForm() form.Limits { return form.Limits{"sha256": {Max: 64}} }

// restoreCertificate puts one back that was taken out.
func (p *Profile) restoreCertificate(c call) {
	v, ok := p.parse(c, fingerprintForm())
	if !ok {
		return
	}
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		key, err := p.keyOf(tx, c, v["sha256"])
		if err != nil {
			return err
		}
		return p.opts.Admission.RestoreKey(tx, c.r, acc, key.SHA256)
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.done(c, pathCertificates, "restored")
}

// errLastWay means that nobody could come in any more.
var errLastWay = errors.New("profile: the last way into the account")

// otherWay returns errLastWay unless an account is entered without a key as well: by a password,
// or by another certificate that is good.
func (p *Profile) otherWay(tx store.Tx, id account.ID, but [32]byte) error {
	known, err := hasPassword(tx, id)
	if err != nil || known {
		return err
	}
	keys, err := tx.Keys(id)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.SHA256 != but && k.State == account.GoodKey && p.opts.Now().Before(k.NotAfter) {
			return nil
		}
	}
	return errLastWay
}

// removeCertificate takes one out, if it is not the last way in: that would be to block the
// account by mistake.
func (p *Profile) removeCertificate(c call) {
	v, ok := p.parse(c, fingerprintForm())
	if !ok {
		return
	}
	var ended []account.Visit
	var key account.Key
	err := p.update(c, func(tx store.Tx, acc account.Account) (err error) {
		if key, err = p.keyOf(tx, c, v["sha256"]); err != nil {
			return err
		}
		if err = p.otherWay(tx, acc.ID, key.SHA256); err != nil {
			return err
		}
		ended, err = p.opts.Admission.RemoveKey(tx, c.r, acc, key.SHA256)
		return err
	})
	if errors.Is(err, errLastWay) {
		p.done(c, pathCertificates, "last")
		return
	}
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.over(ended, key.SHA256)
	p.done(c, pathCertificates, "removed")
}

// over does outside of the store what follows from the end of visits and keys.
func (p *Profile) over(ended []account.Visit, certificates ...[32]byte) {
	p.opts.Visits.Over(ended)
	for _, sha256 := range certificates {
		p.opts.Forget(sha256)
	}
}

// lostPage is what the page sees that asks whether a key was lost.
type lostPage struct {
	// Certificate is the one; nil asks about all.
	Certificate *certificate
	// Given says that it was done.
	Given bool
	// Issuers are whom the person has to tell within a day (IP-31).
	Issuers []string
}

// askLost asks whether others have got a key.
func (p *Profile) askLost(c call) {
	data, ok := p.lostOf(c, c.r.URL.Query().Get("sha256"))
	if !ok {
		p.fail(c.w, c.r, reason.PageNotFound)
		return
	}
	p.show(c, "lost", page.View{Title: page.Text{RU: "Ключ скомпрометирован", EN: "The key is in other hands"}, Tone: "warn", Data: data})
}

// lostOf tells about the certificates that are meant: one by its fingerprint, or "all".
func (p *Profile) lostOf(c call, which string) (lostPage, bool) {
	list, err := p.certificatesOf(c)
	if err != nil {
		return lostPage{}, false
	}
	var data lostPage
	seen := map[string]bool{}
	for _, one := range list {
		if which != "all" && one.SHA256 != which || !one.Good {
			continue
		}
		if which != "all" {
			data.Certificate = &one
		}
		if one.Issuer != "" && !seen[one.Issuer] {
			seen[one.Issuer] = true
			data.Issuers = append(data.Issuers, one.Issuer)
		}
	}
	return data, data.Certificate != nil || which == "all" && len(list) > 0
}

// lost gives one key up, or all. It is done at once, without another sign-in: who has the key
// must not be faster. The visit may be over by it, so the answer is the page itself.
func (p *Profile) lost(c call) {
	v, ok := p.parse(c, fingerprintForm())
	if !ok {
		return
	}
	data, ok := p.lostOf(c, v["sha256"])
	if !ok {
		p.fail(c.w, c.r, reason.PageNotFound)
		return
	}
	var ended []account.Visit
	var lost [][32]byte
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		keys, err := tx.Keys(acc.ID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			lost = append(lost, k.SHA256)
		}
		if data.Certificate == nil {
			ended, err = p.opts.Admission.LoseAll(tx, c.r, acc)
			return err
		}
		key, err := p.keyOf(tx, c, v["sha256"])
		if err == nil {
			ended, err = p.opts.Admission.LoseKey(tx, c.r, acc, key.SHA256)
		}
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.over(ended, lost...)
	data.Given = true
	view := page.View{Title: page.Text{RU: "Вход с ключом закрыт", EN: "The key opens nothing any more"}, Tone: "good", Data: data, Here: Path}
	if _, _, still := p.opts.Visits.Of(c.r); !still {
		page.Written(c.w, c.r, p.opts.Pages.Show(c.w, c.r, "profile/lost", view))
		return
	}
	p.show(c, "lost", view)
}
