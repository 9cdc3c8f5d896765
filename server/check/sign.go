package check

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/challenge"
	"propusk/server/form"
	"propusk/server/page"
)

// signs reports whether test signatures can be made.
func (c *Check) signs() bool { return c.opts.Challenge != nil && len(c.opts.Challenge.Methods()) > 0 }

// testText is what a test signature is over.
const testText = "Пробная подпись для проверки условий доступа.\nОна ничего не подтверждает и никуда не передаётся.\n\n" +
	"A test signature, to check the conditions of access. It confirms nothing and goes nowhere.\n"

// allKinds may make a test signature: who has come to the wrong cabinet is told so, and not
// that he may not sign.
func allKinds() []person.Kind {
	return []person.Kind{person.Entrepreneur, person.LegalEntity, person.Person}
}

// signRoutes adds the routes of test signatures, to the public host.
func (c *Check) signRoutes(r gin.IRouter, at *place) {
	r.GET("/check/sign", at.askToSign)
	r.POST("/check/sign", form.Guard(func(w http.ResponseWriter, r *http.Request, code reason.Code) {
		page.Written(w, r, c.opts.Pages.Failure(w, r, page.Failure{Code: code}))
	}), at.sign)
}

// askToSign offers the ways to sign.
func (p *place) askToSign(x *gin.Context) {
	one, err := p.runs.own(x.Request, p.host)
	if err != nil {
		p.refuse(x, err)
		return
	}
	p.write(x, "sign", page.View{
		Title: page.Text{RU: "Пробная подпись", EN: "A test signature"},
		Lead: page.Text{
			RU: "Выберите, чем подписать. Программа спросит сертификат и PIN-код; если она спросит разрешения, нажмите «Да».",
			EN: "Choose how to sign. The program asks for the certificate and the PIN; press \"Yes\" if it asks for permission.",
		},
		Token: form.Token(x.Writer, x.Request),
		Data: struct {
			Text, Action, Back string
			Methods            []page.Method
		}{testText, one.page("/check/sign"), one.page("/check/run"), p.opts.Challenge.Methods()},
	})
}

// sign begins a test signature (CK-03).
func (p *place) sign(x *gin.Context) {
	one, err := p.runs.own(x.Request, p.host)
	var values form.Values
	if err == nil {
		values, err = form.Parse(x.Request, form.Limits{"method": {Max: 10}})
	}
	if err != nil {
		p.refuse(x, err)
		return
	}
	back := "/check/run?run=" + one.key
	p.opts.Challenge.Ask(x, page.Method(values["method"]), challenge.Local{
		Service: "Проверка условий доступа", Text: testText, Kinds: allKinds(), Back: back,
		Signed: func(r *http.Request, s challenge.Signed) (string, error) {
			p.signed(r, one, s, "")
			return back, nil
		},
		Refused: func(r *http.Request, s challenge.Signed, why reason.Code) { p.signed(r, one, s, why) },
	})
}

// signed judges the certificate of a test signature as a sign-in would. A signature that is
// no good for another reason than its certificate is told by that reason.
func (p *place) signed(r *http.Request, one *run, s challenge.Signed, why reason.Code) {
	if s.Certificate == nil {
		one.change(func(f *Facts) { f.Signature = &Holder{Code: why} })
		return
	}
	h := newHolder(p.opts.Judge.Certificate(r.Context(), s.Certificate, slices.Clone(p.opts.Kinds)), nil)
	if h.Code == "" {
		h.Code = why
	}
	one.change(func(f *Facts) { f.Signature = h })
}
