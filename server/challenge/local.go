package challenge

import (
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/server/journal"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/signrequest"
)

// Local is an order of the gateway itself: a text that one of its own pages has shown to a
// person and wants signed by his key, such as the agreement of a registration. It lives in
// the memory of the program; what its signature changes is kept by Signed.
type Local struct {
	// Service is who asks, as agents and pages call it: one line.
	Service string
	// Text is what is to be signed; it must pass [signrequest.CheckText].
	Text string
	// Kinds are the kinds of holders that may sign.
	Kinds []person.Kind
	// Person refuses everybody who must not sign; nil is anybody of Kinds.
	Person func(person.Identity) error
	// Back is the page of the gateway where a person begins again, a local path.
	Back string
	// Signed keeps a signature that passed, and returns the address to which the browser
	// goes on. If it fails the signature counts for nothing and the person is told why by
	// the reason of the error. It is called in the request of the browser that began.
	Signed func(r *http.Request, s Signed) (next string, err error)
	// Refused is told of a signature that did not pass; nil is nobody. The person gets the
	// page about the failure from here.
	Refused func(r *http.Request, s Signed, why reason.Code)
}

// Signed is an answer to a [Local] with everything that proves it.
type Signed struct {
	// Who is the person; set only if the signature passed.
	Who person.Identity
	// Certificate is the certificate of the person in DER; nil if the answer names none.
	Certificate []byte
	// Signature is CMS in DER, without the text.
	Signature []byte
	// Verdict is the verdict document; nil if the answer is no signature.
	Verdict *report.Document
	// At is when it was judged.
	At time.Time
}

// Ask begins the signing of an order of the gateway itself by a method, page.MethodAgent or
// page.MethodPlugin, and sends the browser on its way. It answers the request in any case.
// The caller has made sure that the request is a post of a page of ours.
func (c *Challenge) Ask(x *gin.Context, method page.Method, l Local) {
	err := signrequest.CheckText(l.Text)
	if err == nil && (method == page.MethodGOSTTLS || !c.offers(method)) {
		err = reason.Errorf(reason.RequestFieldBad, "there is no such way to sign")
	}
	if err != nil {
		c.refuse(x, subjectOrder, err)
		return
	}
	c.start(x, method, &localJob{c, l}, oidc.BindBrowser(x.Writer, x.Request, 2*Life))
}

// Methods returns by what people can sign: the methods of the options but GOST TLS.
func (c *Challenge) Methods() []page.Method {
	var methods []page.Method
	for _, m := range c.opts.Methods {
		if m != page.MethodGOSTTLS {
			methods = append(methods, m)
		}
	}
	return methods
}

// localJob is the signing of an order of the gateway itself.
type localJob struct {
	c     *Challenge
	order Local
}

func (*localJob) subject() string    { return subjectOrder }
func (*localJob) client() string     { return "" }
func (j *localJob) again() string    { return j.order.Back }
func (*localJob) leave() []page.Link { return nil }

func (j *localJob) event() journal.Event {
	digest := streebog.Sum256([]byte(j.order.Text))
	return journal.Event{Kind: journal.Signature, Action: "challenge", Digest: hex.EncodeToString(digest[:])}
}

func (j *localJob) fill(r *signrequest.Request) {
	r.Purpose, r.Service, r.Kinds, r.Text = signrequest.SignText, j.order.Service, j.order.Kinds, j.order.Text
}

// complete hands the signature to whom it was made for, if it is good and of the right person.
func (j *localJob) complete(x *gin.Context, st *state, file []byte) {
	c, o := j.c, j.order
	judged := c.verify(x.Request.Context(), file, st, o.Kinds, validate.QES())
	now := c.opts.Now()
	s := Signed{Signature: file, At: now}
	if len(judged.report.Signatures) == 1 {
		s.Verdict = report.Signatures(judged.report, judged.outcome.Trust, now)
		if claimed := judged.report.Signatures[0].Claimed; claimed != nil {
			s.Certificate = claimed.Raw
		}
	}
	next := ""
	if judged.code == "" {
		var err error
		if next, err = j.accept(x, st, judged, s); err != nil {
			judged.code, judged.err = reason.Of(err), err
		}
	}
	if judged.code != "" {
		if o.Refused != nil {
			o.Refused(x.Request, s, judged.code)
		}
		c.refuseJudged(x, j, judged)
		return
	}
	c.passed(x, j)
	page.Written(x.Writer, x.Request, c.opts.Pages.Continue(x.Writer, x.Request, next))
}

// accept keeps a signature that passed.
func (j *localJob) accept(x *gin.Context, st *state, judged judgement, s Signed) (next string, err error) {
	if err := signedJustNow(judged, st.began, s.At); err != nil {
		return "", err
	}
	s.Who = judged.outcome.Who
	if j.order.Person != nil {
		if err := j.order.Person(s.Who); err != nil {
			return "", err
		}
	}
	if err := j.c.opts.Journal.Passed(x.Request, judged.event(j), s.Who); err != nil {
		return "", err
	}
	return j.order.Signed(x.Request, s)
}
