// Package api is the HTTP interface for other services: is this signature good
// and who signed, and what is this certificate.
//
// A verdict is an answer, not an error: whatever the verdict, the status is 200.
// Problem documents are for requests that cannot be used. openapi.json describes
// every route and every field; tests compare it with real answers and send its
// examples.
package api

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/pki/verdict"
	"propusk/server/apikey"
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

// Options is what an API needs. Only Signatory may be left out.
type Options struct {
	// Trust hands out the trust data.
	Trust trust.Guard
	// Now returns the time, which is also the moment that verdicts are for.
	Now func() time.Time
	// Keys lets requests in.
	Keys *apikey.Keeper
	// MaxBody is how much of a request may be held in memory, in bytes.
	MaxBody int64
	// MaxDocument is how long a request body may be whose document is hashed while it
	// arrives, in bytes.
	MaxDocument int64
	// MaxBatch is how many signatures a batch may have.
	MaxBatch int
	// Verifications is how many run at once; Wait is how long others wait.
	Verifications int
	Wait          time.Duration
	// Observe is called with each verdict: what was judged ("signature",
	// "certificate"), the conclusion, and the reason unless it passed.
	Observe func(subject, conclusion string, why reason.Code)
	// Signatory signs reports; nil when they are not signed.
	Signatory *cms.Signatory
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
	r = r.Group("/api/v1")
	request.Get(r, "/openapi.json", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/json; charset=utf-8", openAPI)
	})
	v1 := r.Group("", a.admit)
	v1.POST("/verify", a.handle(a.readVerify))
	v1.POST("/verify/digest", a.handle(a.readDigest))
	v1.POST("/verify/batch", a.batch)
	v1.POST("/certificates/check", a.handle(a.readCertificate))
	request.Get(v1, "/accredited-cas", a.accredited)
}

// admit lets in who has a key, or needs none, within the quota.
func (a *API) admit(c *gin.Context) {
	visit, err := a.opts.Keys.Admit(c.Request)
	if err != nil {
		Refuse(c.Writer, c.Request, err)
		c.Abort()
		return
	}
	defer visit.Leave()
	if visit.ID != apikey.Anonymous {
		request.From(c.Request.Context()).Client = visit.ID
	}
	if err := a.receive(c, visit); err != nil {
		Refuse(c.Writer, c.Request, err)
		c.Abort()
		return
	}
	c.Next()
}

// judgement is an answer with what the log and the metrics say about it.
type judgement struct {
	subject  string
	verdict  verdict.Verdict
	engine   string // what computed
	document any
}

// basis is what a judge judges by. A stale list of accredited CAs is missing in
// trust; shown still has it, because an answer says how old the data are.
type basis struct {
	trust, shown validate.Trust
	policy       validate.Policy
	now          time.Time
	ctx          context.Context // of the request: nobody waits for servers when the client has left
}

// basis returns what to judge by now, for a request with a context.
func (a *API) basis(ctx context.Context) basis {
	return basis{
		trust: a.opts.Trust.ForVerdicts(), shown: a.opts.Trust.Store.Current().Trust(),
		policy: a.opts.Trust.Policy(validate.QES()), now: a.opts.Now(), ctx: ctx,
	}
}

func (by basis) validator() validate.Validator {
	return validate.Validator{Trust: by.trust, Policy: by.policy, Context: by.ctx}
}

// judge judges what a request brought.
type judge func(basis) judgement

// signatures returns the judge of a parcel, unless the files are the wrong ones.
func signatures(p *parcel) (judge, error) {
	if err := p.mistake(); err != nil {
		return nil, err
	}
	return func(by basis) judgement {
		r := p.judge(by.validator(), by.now)
		return judgement{"signature", r.Verdict(), r.Engine.String(), report.Signatures(r, by.shown, by.now)}
	}, nil
}

// reader reads a request and returns how to judge it.
type reader func(*http.Request, *account) (judge, error)

// handle adapts a reader to gin: limits, decode, judge, encode. Every route with
// one thing to judge goes through it, so errors and log lines are the same
// everywhere.
func (a *API) handle(read reader) gin.HandlerFunc {
	return func(c *gin.Context) {
		form, err := formOf(c.Request)
		if err == nil {
			err = a.check(form)
		}
		if err != nil {
			Refuse(c.Writer, c.Request, err)
			return
		}
		j, err := a.run(c.Request, read)
		if err != nil {
			Refuse(c.Writer, c.Request, err)
			return
		}
		a.note(c.Request.Context(), j)
		a.write(c.Writer, c.Request, form, j.document)
	}
}

// note tells the log and the metrics about a judgement.
func (a *API) note(ctx context.Context, j judgement) {
	conclusion, why := report.Conclude(j.verdict.Status()), j.verdict.Why()
	e := request.From(ctx)
	e.Conclusion, e.Code, e.Engine = conclusion, why, j.engine
	a.opts.Observe(j.subject, conclusion, why)
}

// run reads the body and judges it, each within its limit.
func (a *API) run(r *http.Request, read reader) (judgement, error) {
	held := a.memory.open()
	defer held.close()
	do, err := read(r, held)
	if err != nil {
		return judgement{}, bodyError(err)
	}
	leave, err := a.work.enter(r.Context())
	if err != nil {
		return judgement{}, err
	}
	defer leave()
	return do(a.basis(r.Context())), nil
}

// Refuse answers with the problem document of an error, and leaves the cause for
// the log. Only the text of a *reason.Error goes to the client; our packages
// write it without repeating what was sent.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	problem.Write(w, refusal(w.Header(), r, err))
}

// refusal makes the problem document of an error, and sets what belongs into the
// header beside it.
func refusal(h http.Header, r *http.Request, err error) problem.Document {
	code := blame(h, r, err)
	return problem.New(code, detail(err), request.From(r.Context()).ID)
}

// blame leaves an error for the log, and tells the client in the header what to do
// about it.
func blame(h http.Header, r *http.Request, err error) reason.Code {
	e := request.From(r.Context())
	e.Code, e.Err = reason.Of(err), err
	switch problem.Status(e.Code) {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		if seconds, ok := apikey.RetryAfter(err); ok {
			h.Set("Retry-After", strconv.FormatInt(seconds, 10))
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="propusk"`) // RFC 6750, Section 3
	}
	return e.Code
}

// detail is what a client may know of the cause of an error.
func detail(err error) string {
	coded, ok := errors.AsType[*reason.Error](err)
	if !ok || coded.Err == nil || errors.Is(err, context.Canceled) {
		return ""
	}
	return coded.Err.Error()
}
