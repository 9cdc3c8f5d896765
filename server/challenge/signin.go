package challenge

import (
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"propusk/gost/streebog"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/server/journal"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/signrequest"
)

// signInJob is a sign-in to a service.
type signInJob struct {
	c      *Challenge
	req    oidc.Request
	sealed string
}

func (*signInJob) subject() string  { return "challenge" }
func (j *signInJob) client() string { return j.req.ClientID }
func (j *signInJob) again() string {
	return pathChoice + "?choose=1&request=" + url.QueryEscape(j.sealed)
}

func (*signInJob) leave() []page.Link { return nil }

func (*signInJob) event() journal.Event {
	return journal.Event{Kind: journal.SignIn, Action: "challenge"}
}

func (j *signInJob) fill(r *signrequest.Request) {
	r.Purpose, r.Service, r.Kinds = signrequest.SignIn, j.c.opts.Services[j.req.ClientID], j.c.opts.Kinds
	if j.req.ClientID == "" { // a page of the gateway's own
		r.Service = j.c.what(j.req).RU
	}
}

// complete signs the person in, if the certificate by which he signed is good.
func (j *signInJob) complete(x *gin.Context, st *state, file []byte) {
	c, o := j.c, &j.c.opts
	judged := c.verify(x.Request.Context(), file, st, o.Kinds, validate.SignIn(o.Kinds...))
	if content := st.request.Content(); c.orders.Document(streebog.Sum256(content), streebog.Sum512(content)) {
		// A person has seen the name of a document and no text. Whoever ordered it by its
		// digests has the signature, and would enter as that person.
		judged = refusal(reason.Errorf(reason.ChallengeContent, "the text of the sign-in was ordered as a document"))
	}
	if judged.code != "" {
		c.refuseJudged(x, j, judged)
		return
	}
	login := oidc.Login{
		Identity: judged.outcome.Who, CertSHA256: judged.outcome.Certificate, Certificate: judged.outcome.DER,
		Method: string(st.method()), At: judged.outcome.At,
	}
	back, err := o.Provider.Ticket(j.req, login)
	if err == nil { // the ticket is nobody's yet
		err = o.Journal.Passed(x.Request, judged.event(j), judged.outcome.Who)
	}
	if err != nil {
		judged.code, judged.err = reason.Of(err), err
		c.refuseJudged(x, j, judged)
		return
	}
	c.passed(x, j)
	// Not a redirect: that would belong to the post of the answer, and the policy of the
	// page that posted it lets it come here and no further.
	page.Written(x.Writer, x.Request, o.Pages.Continue(x.Writer, x.Request, back))
}

// passed notes that an answer was good.
func (c *Challenge) passed(x *gin.Context, j job) {
	request.From(x.Request.Context()).Conclusion = report.TotalPassed
	c.opts.Observe(j.subject(), report.TotalPassed, "")
}

// refuseJudged writes the page about an answer that is not good, with what is known about
// the certificate: the browser is that of the person who signed.
func (c *Challenge) refuseJudged(x *gin.Context, j job, judged judgement) {
	e := request.From(x.Request.Context())
	e.Code, e.Err, e.Conclusion = judged.code, judged.err, conclusionOf(judged.code)
	if judged.outcome.Code == judged.code && judged.code != "" {
		e.Conclusion = judged.outcome.Conclusion()
	}
	c.opts.Observe(j.subject(), e.Conclusion, judged.code)
	if who, ok := judged.outcome.Vouched(); ok {
		c.opts.Journal.Refused(x.Request, judged.event(j), who)
	}
	page.Written(x.Writer, x.Request, c.opts.Pages.Failure(x.Writer, x.Request, page.Failure{
		Code: judged.code, Facts: judged.outcome.Facts(), Links: slices.Concat(judged.outcome.Cabinet(c.opts.Pages), []page.Link{againLink(j)}, j.leave()), Signing: j.subject() == subjectOrder,
	}))
}
