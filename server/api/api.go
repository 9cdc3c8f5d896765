// Package api is the HTTP interface for other services: is this signature good
// and who signed, and what is this certificate.
//
// A verdict is an answer, not an error: whatever the verdict, the status is 200.
// Problem documents are for requests that cannot be used. openapi.json describes
// every route and every field; a test compares it with real answers.
package api

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/pki/verdict"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/trust"
)

// API answers the routes under /api/v1. It is safe for concurrent use. Make it
// with New.
type API struct {
	opts   Options
	memory *budget // for bodies
	work   gate    // verifications that run
}

// Options is what an API needs, all of it.
type Options struct {
	// Trust hands out the trust data.
	Trust trust.Guard
	// Now returns the time, which is also the moment that verdicts are for.
	Now func() time.Time
	// MaxBody is how long a request body may be, in bytes.
	MaxBody int64
	// Verifications is how many run at once; Wait is how long others wait.
	Verifications int
	Wait          time.Duration
	// Observe is called with each verdict: what was judged ("signature",
	// "certificate"), the conclusion, and the reason unless it passed.
	Observe func(subject, conclusion string, why reason.Code)
}

// bodiesPerVerification is for how many of the longest bodies there is memory, for
// each verification that runs: one is judged while the next one arrives.
const bodiesPerVerification = 2

// New returns an API.
func New(o Options) *API {
	return &API{
		opts:   o,
		memory: newBudget(int64(o.Verifications) * bodiesPerVerification * o.MaxBody),
		work:   newGate(o.Verifications, o.Wait),
	}
}

//go:embed openapi.json
var openAPI []byte

// Routes adds the routes to r.
func (a *API) Routes(r gin.IRouter) {
	v1 := r.Group("/api/v1", request.LimitBody(a.opts.MaxBody))
	v1.POST("/verify", a.handle(a.verify, field{"signature", true}, field{"content", false}))
	v1.POST("/certificates/check", a.handle(a.certificate, field{"certificate", true}))
	request.Get(v1, "/accredited-cas", a.accredited)
	request.Get(v1, "/openapi.json", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/json; charset=utf-8", openAPI)
	})
}

// judgement is an answer with what the log and the metrics say about it.
type judgement struct {
	subject  string
	verdict  verdict.Verdict
	document any
}

// basis is what a judge judges by. A stale list of accredited CAs is missing in
// trust; shown still has it, because an answer says how old the data are.
type basis struct {
	trust, shown validate.Trust
	now          time.Time
}

func (a *API) verify(in fields, by basis) judgement {
	var content cms.Content
	if document, given := in["content"]; given {
		content = cms.Document(document)
	}
	v := validate.Validator{Trust: by.trust, Policy: validate.QES()}
	r := v.Signature(in["signature"], content, by.now)
	return judgement{"signature", r.Verdict(), report.Signatures(r, by.shown, by.now)}
}

func (a *API) certificate(in fields, by basis) judgement {
	v := validate.Validator{Trust: by.trust, Policy: validate.QES()}
	data := in["certificate"]
	if raw, err := der.Decode(data, "CERTIFICATE"); err == nil {
		data = raw // otherwise the validator says what is wrong
	}
	c := v.Certificate(data, nil, by.now)
	return judgement{"certificate", c.Verdict, report.Certificate(c, by.shown, by.now)}
}

// judge is one of the methods above.
type judge func(fields, basis) judgement

// handle adapts a judge to gin: limits, decode, judge, encode. Every route with
// a body goes through it, so errors and log lines are the same everywhere.
func (a *API) handle(do judge, known ...field) gin.HandlerFunc {
	return func(c *gin.Context) {
		j, err := a.run(c.Request, do, known)
		if err != nil {
			Refuse(c.Writer, c.Request, err)
			return
		}
		conclusion, why := report.Conclude(j.verdict.Status()), j.verdict.Why()
		e := request.From(c.Request.Context())
		e.Conclusion, e.Code = conclusion, why
		a.opts.Observe(j.subject, conclusion, why)
		c.JSON(http.StatusOK, j.document)
	}
}

// run reads the body and runs the judge, each within its limit.
func (a *API) run(r *http.Request, do judge, known []field) (judgement, error) {
	body := a.memory.charge(r.Body)
	defer body.giveBack()
	in, err := read(r.Header, body, known...)
	if err != nil {
		return judgement{}, err
	}
	leave, err := a.work.enter(r.Context())
	if err != nil {
		return judgement{}, err
	}
	defer leave()
	return do(in, basis{a.opts.Trust.ForVerdicts(), a.opts.Trust.Store.Current().Trust(), a.opts.Now()}), nil
}

// Refuse answers with the problem document of an error, and leaves the cause for
// the log. Only the text of a *reason.Error goes to the client; our packages
// write it without repeating what was sent.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := request.From(r.Context())
	e.Code, e.Err = reason.Of(err), err
	detail := ""
	if coded, ok := errors.AsType[*reason.Error](err); ok && coded.Err != nil && !errors.Is(err, context.Canceled) {
		detail = coded.Err.Error()
	}
	d := problem.New(e.Code, detail, e.ID)
	if d.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	problem.Write(w, d)
}
