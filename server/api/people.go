package api

import (
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/page"
	"propusk/server/request"
)

// People adds the page /verify to r: a form for a file and its signature, whose answer
// is the protocol page. It needs no key, and has the quota of clients without one.
func (a *API) People(r gin.IRouter, pages *page.Book) {
	request.Get(r, "/verify", func(c *gin.Context) {
		page.Written(c.Writer, c.Request, pages.Upload(c.Writer, c.Request))
	})
	r.POST("/verify", func(c *gin.Context) {
		if err := a.person(c); err != nil {
			refusePerson(c, pages, err)
		}
	})
}

// Authorities adds the page /accredited to r: the certification authorities whose
// certificates are good, for people (IP-35).
func (a *API) Authorities(r gin.IRouter, pages *page.Book) {
	request.Get(r, "/accredited", func(c *gin.Context) {
		snap, err := a.opts.Trust.Current()
		if err != nil {
			refusePerson(c, pages, err)
			return
		}
		list, now := snap.Trust().Accredited, a.opts.Now()
		shown := page.Authorities{At: now, Version: list.Content().Version, Date: list.Content().Date}
		for _, ca := range list.Content().CAs {
			if ca.Accredited(now).InForce {
				shown.List = append(shown.List, page.Authority{Name: ca.Name, OGRN: ca.OGRN, Number: ca.RegistryNumber})
			}
		}
		page.Written(c.Writer, c.Request, pages.Accredited(c.Writer, c.Request, shown))
	})
}

// person answers a form that a person sent.
func (a *API) person(c *gin.Context) error {
	visit, err := a.opts.Keys.AdmitStranger(c.Request)
	if err != nil {
		return err
	}
	defer visit.Leave()
	if err := a.receive(c, visit); err != nil {
		return err
	}
	lang := report.Russian
	j, err := a.run(c.Request, func(r *http.Request, held *account) (judge, error) {
		return a.readPerson(r, held, &lang)
	})
	if err != nil {
		return err
	}
	a.note(c.Request.Context(), j)
	d, ok := j.document.(*report.Document)
	if !ok {
		return reason.Errorf(reason.InternalError, "the judge of signatures answered with a %T", j.document)
	}
	a.writeHTML(c.Writer, c.Request, d, lang)
	return nil
}

// readPerson reads the form of the page. The language is one of its fields.
func (a *API) readPerson(r *http.Request, held *account, lang *string) (judge, error) {
	_, boundary, err := mediaType(r.Header, typeForm)
	if err != nil {
		return nil, err
	}
	p := &packer{account: held, maxHeld: a.opts.MaxBody}
	fields := make(seen)
	err = eachPart(r.Body, boundary, maxFormParts, func(name string, part io.Reader) error {
		if err := fields.first(name, fieldSignature, fieldContent, fieldLang); err != nil {
			return err
		}
		switch name {
		case fieldSignature:
			return p.signature(part, -1)
		case fieldContent:
			return p.document(part)
		}
		text, _, err := held.hold(part, 2, -1)
		if string(text) == report.English {
			*lang = report.English
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return signatures(&p.parcel)
}

// refusePerson answers with a page what a program would get as a problem document.
func refusePerson(c *gin.Context, pages *page.Book, err error) {
	code := blame(c.Writer.Header(), c.Request, err)
	page.Written(c.Writer, c.Request, pages.UploadRefused(c.Writer, c.Request, code))
}
