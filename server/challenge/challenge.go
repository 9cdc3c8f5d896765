// Package challenge is sign-in, and the signing of documents, in browsers without GOST
// TLS: the gateway asks for a signature over a one-time text, or over a document of a
// service, and an agent on the person's machine or a plug-in in his browser gives it.
//
// The way of a sign-in:
//
//	service → /authorize → /signin    choice    the ways to sign in; the browser is the one that began
//	        → POST /signin/agent      begin     a state: 256 bits, five minutes, bound to the browser's cookie
//	        → /signin/wait            wait      a page that stays and looks whether the answer has come
//	        → /signin/open            open      a fresh request, two minutes, signed by us; to the agent
//	agent   → POST /signed            receive   keeps the answer, gives its bearer a one-time key; 303
//	        → /signed                 complete  the cookie of who began and the key of who brought the answer
//	                                            must meet in one browser; then the verdict, as for TLS
//	        → /signin/return                    package oidc goes on
//
// The post of an answer comes from another site, so it carries no cookie, and proves
// nothing about the browser. Neither does the cookie alone: whoever lures a person into
// signing his request has the cookie, but not the key that the answer was exchanged for;
// the person has the key, but not the cookie. docs/CHALLENGE.md tells the threats.
package challenge

import (
	"crypto"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/journal"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/signin"
	"propusk/server/signrequest"
)

// Life is how long a state waits for its answer.
const Life = 5 * time.Minute

// Paths on the public host.
const (
	pathChoice = "/signin"
	pathWait   = "/signin/wait"
	pathPlugin = "/signin/plugin"
	pathOpen   = "/signin/open"
	pathStatus = "/signin/status"
	pathSigned = "/signed"
	pathOrder  = "/signatures/"
)

// Options is what a Challenge needs. Only Keys may be empty, if Agent is false.
type Options struct {
	// Issuer is the URL of the public host, which is also its origin.
	Issuer string
	// SignInURL is the URL of the sign-in host.
	SignInURL string
	// Name is what agents call this gateway.
	Name string
	// Keys are on P-256; the first signs the requests to agents.
	Keys []crypto.Signer
	// AgentPorts are the ports of agents on 127.0.0.1; at least one.
	AgentPorts []int
	// Methods are the ways to sign in, as package config names them, in their order.
	Methods []page.Method
	// Kinds are the kinds of holders that may sign in.
	Kinds []person.Kind
	// Services are the names of services by client ID, for people.
	Services map[string]string
	// States and Orders bound what is kept.
	States, Orders int
	// Provider takes over who has signed in.
	Provider *oidc.Provider
	// Judge judges certificates.
	Judge *signin.SignIn
	// Pages writes pages.
	Pages *page.Book
	// Now returns the time.
	Now func() time.Time
	// Observe is called with each outcome: "challenge" or "order", the conclusion, and
	// the reason unless it passed.
	Observe func(subject, conclusion string, why reason.Code)
	// Journal writes sign-ins and signatures down; nil writes nothing.
	Journal *journal.Recorder
	// Policy says what services want; nil wants a key everywhere.
	Policy *level.Policy
	// Accounts is what is offered beside keys; nil where people have no accounts.
	Accounts *Accounts
	// Notice is a file with what people are told where they sign in: YAML with ru and en. It
	// is read for each page. Empty, and a file that is not there, is nothing.
	Notice string
	// Documents keeps the orders of services; nil keeps them in memory.
	Documents OrderStore
}

// Challenge answers on the public host. It is safe for concurrent use. Make it with New.
type Challenge struct {
	opts   Options
	states *states
	orders OrderStore
	card   []byte // of the gateway, for agents; nil without keys
}

// New returns a Challenge. The error says which of the keys cannot be used.
func New(o Options) (*Challenge, error) {
	c := &Challenge{opts: o, states: newStates(o.States, o.Now), orders: o.Documents}
	if c.orders == nil {
		c.orders = newMemory(o.Orders, len(o.Services), o.Now)
	}
	if len(o.Keys) == 0 {
		return c, nil
	}
	gateway := signrequest.Gateway{URL: o.Issuer, Name: o.Name}
	for i, key := range o.Keys {
		public, err := publicKey(key)
		if err != nil {
			return nil, fmt.Errorf("challenge: key %d: %w", i, err)
		}
		gateway.Keys = append(gateway.Keys, public)
	}
	var err error
	c.card, err = signrequest.Card{Gateway: gateway, AgentPorts: o.AgentPorts}.Marshal()
	return c, err
}

// Routes adds the routes of the public host.
func (c *Challenge) Routes(r gin.IRouter) {
	g := r.Group("/", request.LimitBody(maxAnswerForm))
	if c.card != nil {
		request.Get(g, signrequest.WellKnown, func(x *gin.Context) { x.Data(http.StatusOK, "application/json", c.card) })
	}
	g.GET(pathChoice, c.choice)
	if c.offers(page.MethodAgent) {
		g.POST("/signin/agent", func(x *gin.Context) { c.begin(x, page.MethodAgent) })
		g.GET(pathWait, c.wait)
		g.GET(pathOpen, c.open)
		g.POST(pathOrder+":id/agent", func(x *gin.Context) { c.beginOrder(x, page.MethodAgent) })
	}
	if c.offers(page.MethodPlugin) {
		g.POST(pathPlugin, func(x *gin.Context) { c.begin(x, page.MethodPlugin) })
		g.GET(pathPlugin, c.plugin)
		g.POST(pathOrder+":id/plugin", func(x *gin.Context) { c.beginOrder(x, page.MethodPlugin) })
	}
	g.GET(pathStatus, c.status)
	g.POST(pathSigned, c.receive)
	g.GET(pathSigned, c.complete)
	g.GET(pathOrder+":id", c.showOrder)
	c.api(r)
}

// Waiting returns how many states and orders are kept.
func (c *Challenge) Waiting() (states, orders int) { return c.states.len(), c.orders.Len() }

func (c *Challenge) offers(m page.Method) bool { return slices.Contains(c.opts.Methods, m) }

// opened opens a request for a sign-in, which must have been begun in this browser.
func (c *Challenge) opened(x *gin.Context, sealed string) (oidc.Request, error) {
	req, err := c.opts.Provider.Open(sealed)
	if err != nil {
		return oidc.Request{}, err
	}
	request.From(x.Request.Context()).Client = req.ClientID
	if !oidc.SameBrowser(x.Request, req.Browser) {
		return oidc.Request{}, reason.Errorf(reason.SignInOtherBrowser, "the cookie is not that of the request")
	}
	return req, nil
}

// begin makes a state for a sign-in.
func (c *Challenge) begin(x *gin.Context, method page.Method) {
	form, err := postForm(x.Request, "request")
	if err == nil {
		err = ownPage(x.Request, c.opts.Issuer)
	}
	if err != nil {
		c.refuse(x, "challenge", err)
		return
	}
	req, err := c.opened(x, form.Get("request"))
	if err != nil {
		c.refuse(x, "challenge", err)
		return
	}
	c.start(x, method, &signInJob{c, req, form.Get("request")}, req.Browser)
}

// start makes a state for a job and shows its page.
func (c *Challenge) start(x *gin.Context, method page.Method, j job, browser [32]byte) {
	key, err := c.states.add(request.Network(x.Request.RemoteAddr), func(key string) *state {
		st := c.newState(key, j, browser)
		st.request.Language, st.plugin = language(x.Request), method == page.MethodPlugin
		return st
	})
	if err != nil {
		c.refuse(x, j.subject(), err)
		return
	}
	path := pathWait
	if method == page.MethodPlugin {
		path = pathPlugin
	}
	x.Redirect(http.StatusSeeOther, path+"?state="+key)
}

// job is what a state is for: a sign-in, or an order of a service.
type job interface {
	// subject is "challenge" or "order", for metrics.
	subject() string
	// client is the service that waits.
	client() string
	// event is the job for the journal.
	event() journal.Event
	// fill says what is to be signed.
	fill(r *signrequest.Request)
	// complete judges the answer and sends the browser on, or refuses.
	complete(x *gin.Context, st *state, file []byte)
	// again is where to start once more.
	again() string
	// leave are ways back without a signature.
	leave() []page.Link
}

// refuse writes the page about a failure, and counts it.
func (c *Challenge) refuse(x *gin.Context, subject string, err error, links ...page.Link) {
	code := reason.Of(err)
	e := request.From(x.Request.Context())
	e.Code, e.Err, e.Conclusion = code, err, conclusionOf(code)
	c.opts.Observe(subject, e.Conclusion, code)
	page.Written(x.Writer, x.Request, c.opts.Pages.Failure(x.Writer, x.Request, page.Failure{Code: code, Links: links, Signing: subject == subjectOrder}))
}

// againLink leads to the beginning of a job.
func againLink(j job) page.Link {
	return page.Link{Label: page.Text{RU: "Начать заново", EN: "Start again"}, URL: j.again()}
}

// language is the language that the browser prefers.
func language(r *http.Request) string {
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
		return "en"
	}
	return "ru"
}

// single returns the value of a parameter that occurs exactly once.
func single(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}
