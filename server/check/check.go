// Package check is the environment check page: what a person's computer, browser, token
// and certificate can do, found out by trying it and never by the name that the browser
// gives itself (DOMAIN 7; CK-01 to CK-06).
//
// A check is a run (run.go). It goes through the seven conditions of the cabinet's check
// page in their order (steps.go), collects facts about each (facts.go), and says by the rows
// of one table (rows.json, rows.go) what is wrong, why, and what to do. It works without
// scripts, step by step through links; a script does the same by itself and sees a little
// more: the clock, the agent, plug-ins. The page is on the check host, over plain HTTP, for
// people whose protected connections do not work yet, and on the public host, where what
// concerns a key is done.
//
// The way of a run:
//
//	GET  /check, /check.php         what will be checked, and what the person will be asked
//	GET  /check/start               a run, and the cookie of its browser
//	GET  /check/run                 the steps, as they stand
//	GET  /check/probe               public host: what the connection is; back to the run
//	GET  /check/clock, POST /check/observed   of the script
//	GET  /check/missed              "the page did not open"
//	GET  /check/continue, /check/moved        from the check host to the public host
//	GET, POST /check/sign           public host: a test signature, by package challenge
//	GET  /check                     sign-in host: the certificate of the connection
//	GET  /check/found               brings what the sign-in host has seen to the run
//	GET  /check/result              the result with a code, for support
//	GET  /check/message             what a message of a program means
//	GET  /check/files/…             certificates of CAs to install
package check

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/challenge"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/session"
	"propusk/server/signin"
	"propusk/server/store"
	"propusk/server/trust"
)

// Options is what a Check needs.
type Options struct {
	// PublicURL, SignInURL and CheckURL are the hosts; CheckURL may be empty.
	PublicURL, SignInURL, CheckURL string
	// AgentPorts are the ports of agents on 127.0.0.1.
	AgentPorts []int
	// Methods are the ways to sign in.
	Methods []page.Method
	// Kinds are the kinds of holders that may sign in.
	Kinds []person.Kind
	// Services are the cabinets that the last button leads to.
	Services []page.Link
	// RegistrationURL is where people go who have no account yet; empty: to the service.
	RegistrationURL string
	// TicketURL is the form of support, which takes the code of a result in the parameter
	// check; empty: there is none.
	TicketURL string
	// Trust hands out the trust data.
	Trust trust.Guard
	// Judge judges certificates.
	Judge *signin.SignIn
	// Challenge takes test signatures; nil if nobody signs in by one.
	Challenge *challenge.Challenge
	// Pages writes pages; those of [Templates] are among them.
	Pages *page.Book
	// Store keeps results and knows who has an account; nil: results are kept in memory, and
	// nobody has one.
	Store store.Store
	// Runs is how many runs are kept at once, ResultLife how long a result is.
	Runs       int
	ResultLife time.Duration
	// Now returns the time.
	Now func() time.Time
}

// Check answers on the check host, the public host and the sign-in host. It is safe for
// concurrent use. Make it with New.
type Check struct {
	opts    Options
	rows    []Row
	runs    *runs
	notes   *notes
	results *session.Store[saved] // without a Store
	room    *room                 // for results
}

// maxResults is how many results one address may make in an hour. Each is stored.
const maxResults = 60

// New returns a Check. The error is a mistake in the table of rows.
func New(o Options) (*Check, error) {
	rows, err := Rows()
	if err != nil {
		return nil, err
	}
	return &Check{
		opts: o, rows: rows, runs: newRuns(o.Runs, o.Now), notes: &notes{now: o.Now},
		results: session.New[saved](o.Runs, o.ResultLife, o.Now), room: newRoom(o.Runs, maxResults, time.Hour, o.Now),
	}, nil
}

// Len returns how many runs are kept.
func (c *Check) Len() int { return c.runs.store.Len() }

// Routes adds the routes of a host with the page, whose URL is given: the check host or the
// public host.
func (c *Check) Routes(r gin.IRouter, host string) {
	at := &place{c, host}
	request.Get(r, "/check", at.intro)
	request.Get(r, "/check.php", at.intro) // where people have found it for years
	r.GET("/check/start", at.start)
	r.GET("/check/run", at.show)
	r.GET("/check/missed", at.missed)
	r.GET("/check/found", at.found)
	r.GET("/check/result", at.result)
	request.Get(r, "/check/clock", c.clock)
	request.Get(r, "/check/message", at.message)
	request.Get(r, filesPath+":file", c.file)
	r.POST("/check/observed", request.LimitBody(maxObserved+1), at.observed)
	request.Get(r, scriptPath, script)
	if host != c.opts.PublicURL {
		request.Get(r, "/", at.intro)
		r.GET("/check/continue", at.goOn)
		return
	}
	r.GET("/check/probe", c.probe)
	r.GET("/check/moved", at.moved)
	if c.signs() {
		c.signRoutes(r, at)
	}
}

// SignInRoutes adds the routes of the sign-in host.
func (c *Check) SignInRoutes(r gin.IRouter) {
	r.GET("/check", c.entrance)
	request.Get(r, "/check/port", func(x *gin.Context) { x.Status(http.StatusNoContent) }) // it is open
}

// place is a host with the page.
type place struct {
	*Check
	host string
}

// start begins a run.
func (p *place) start(x *gin.Context) {
	one, err := p.runs.begin(p.host, bind(x.Writer, x.Request), request.Network(x.Request.RemoteAddr))
	if err != nil {
		p.refuse(x, err)
		return
	}
	x.Redirect(http.StatusSeeOther, one.page("/check/run"))
}

// show shows the steps of a run. A connection to the public host tells about the browser.
func (p *place) show(x *gin.Context) {
	one, bound, err := p.runs.visit(x.Request, p.host)
	if err != nil {
		p.refuse(x, err)
		return
	}
	if p.host == p.opts.PublicURL {
		p.greet(one, x.Request)
	}
	p.showRun(x, one, bound)
}

// greet notes how a browser has reached the public host. Where GOST has come once, a
// connection without it does not take that back: browsers try both.
func (c *Check) greet(one *run, r *http.Request) {
	h := helloOf(r)
	one.change(func(f *Facts) {
		if !f.gost() || h.Kind == kindGOST {
			f.Hello = h
		}
		f.Missed = without(f.Missed, hostPublic)
	})
}

func without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(one string) bool { return one == s })
}

// probe tells what the connection is. The script of the run asks from another host; without
// scripts people come by a link and are sent back.
func (c *Check) probe(x *gin.Context) {
	one, err := c.runs.find(x.Request)
	if err != nil {
		c.refuse(x, err)
		return
	}
	c.greet(one, x.Request)
	if origin := x.Request.Header.Get("Origin"); origin != "" {
		if origin == c.opts.CheckURL {
			x.Header("Access-Control-Allow-Origin", origin)
			x.Header("Vary", "Origin")
		}
		x.JSON(http.StatusOK, gin.H{"kind": request.ConnectionFrom(x.Request.Context()).Kind})
		return
	}
	x.Redirect(http.StatusSeeOther, one.page("/check/run"))
}

// missed notes that a page did not open, as the person says.
func (p *place) missed(x *gin.Context) {
	one, _, err := p.runs.visit(x.Request, p.host)
	host := x.Query("host")
	if err == nil && !oneOf(host, hostPublic, hostSignIn) {
		err = reason.New(reason.PageNotFound, nil)
	}
	if err != nil {
		p.refuse(x, err)
		return
	}
	one.change(func(f *Facts) { f.Missed = append(without(f.Missed, host), host) })
	x.Redirect(http.StatusSeeOther, one.page("/check/run"))
}

// clock tells the script the time, in milliseconds of Unix.
func (c *Check) clock(x *gin.Context) {
	x.JSON(http.StatusOK, gin.H{"now": c.opts.Now().UnixMilli()})
}

// observed takes what the script has seen, from a page of this host.
func (p *place) observed(x *gin.Context) {
	one, err := p.runs.own(x.Request, p.host)
	if err == nil && (x.Request.Header.Get("Origin") != p.host || x.ContentType() != "application/json") {
		err = reason.Errorf(reason.CheckReportMalformed, "not from a page of this host, or not JSON")
	}
	var o Observed
	if err == nil {
		if o, err = ParseObserved(x.Request.Body); err != nil {
			err = reason.New(reason.CheckReportMalformed, err)
		}
	}
	if err != nil {
		p.refuse(x, err)
		return
	}
	one.change(func(f *Facts) { f.add(o) })
	x.Status(http.StatusNoContent)
}

// entrance judges the certificate of a connection to the sign-in host, and sends the person
// back with what was found. Without a run that can be told, the page says it itself.
func (c *Check) entrance(x *gin.Context) {
	one, err := c.runs.find(x.Request)
	cookies := false
	if err == nil {
		one.change(func(f *Facts) { cookies = f.Cookies == cookiesOn })
	}
	if !cookies {
		c.opts.Judge.Look(x)
		return
	}
	o := c.opts.Judge.Connection(x)
	h := newHolder(o, sentBy(x.Request))
	key := session.NewKey()
	one.mu.Lock()
	one.found = finding{key: key, until: c.opts.Now().Add(findingLife), holder: h}
	host := one.host
	one.mu.Unlock()
	x.Redirect(http.StatusSeeOther, host+"/check/found?run="+one.key+"&finding="+key)
}

// found adds what the sign-in host has seen to the run of this browser.
func (p *place) found(x *gin.Context) {
	one, err := p.runs.own(x.Request, p.host)
	if err != nil {
		p.refuse(x, err)
		return
	}
	// One that is gone was added before: people reload pages.
	one.mu.Lock()
	if h := one.found.holder; one.found.take(x.Query("finding"), p.opts.Now()) {
		one.facts.Entrance, one.facts.Missed = h, without(one.facts.Missed, hostSignIn)
	}
	one.mu.Unlock()
	x.Redirect(http.StatusSeeOther, one.page("/check/run"))
}

// goOn takes a run to the public host, where keys can be tried. It belongs to the browser
// that arrives, and no more to the one that left: who lures somebody into going on loses it.
func (p *place) goOn(x *gin.Context) {
	one, _, err := p.runs.visit(x.Request, p.host)
	if err != nil {
		p.refuse(x, err)
		return
	}
	key := session.NewKey()
	one.mu.Lock()
	one.moves = finding{key: key, until: p.opts.Now().Add(findingLife)}
	one.mu.Unlock()
	x.Redirect(http.StatusSeeOther, p.opts.PublicURL+"/check/moved?run="+one.key+"&finding="+key+inLanguage(x.Request))
}

// moved takes a run in that comes from the check host.
func (p *place) moved(x *gin.Context) {
	one, err := p.runs.find(x.Request)
	if err == nil {
		err = one.move(p.host, x.Query("finding"), p.opts.Now(), func() [32]byte { return bind(x.Writer, x.Request) })
	}
	if err != nil {
		p.refuse(x, err)
		return
	}
	x.Redirect(http.StatusSeeOther, one.page("/check/run")+inLanguage(x.Request))
}

// inLanguage is a parameter that takes the language of a request to a host that does not know
// it yet.
func inLanguage(r *http.Request) string { return "&lang=" + page.Language(r) }

// refuse writes the page about a failure.
func (c *Check) refuse(x *gin.Context, err error) {
	e := request.From(x.Request.Context())
	e.Code, e.Err = reason.Of(err), err
	page.Written(x.Writer, x.Request, c.opts.Pages.Failure(x.Writer, x.Request, page.Failure{Code: e.Code, Links: []page.Link{{
		Label: page.Text{RU: "Начать проверку заново", EN: "Start the check again"}, URL: "/check",
	}}}))
}

// Report is what a check has found, for support.
type Report struct {
	// Code names it: "7K3F-9QX2-M4TD".
	Code string
	// At is when it was made.
	At time.Time
	// Text tells it in Russian, without personal data, one finding a line.
	Text string
	// Certificate is the certificate of the person that was checked, DER; nil if there
	// was none. Keys are never in it.
	Certificate []byte
}

// Report returns what was found under a code, and false if there is no such code, or no
// more.
func (c *Check) Report(ctx context.Context, code string) (Report, bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if s, ok := c.results.Get(code); ok {
		return c.report(code, s), true
	}
	if c.opts.Store == nil {
		return Report{}, false
	}
	var data []byte
	err := c.opts.Store.View(ctx, func(tx store.Tx) error {
		one, err := tx.CheckRun(code, c.opts.Now())
		data = one.Data
		return err
	})
	if err != nil {
		return Report{}, false
	}
	s, err := parseSaved(data)
	return c.report(code, s), err == nil
}

// parseSaved reads a result that was stored.
func parseSaved(data []byte) (saved, error) {
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return saved{}, err
	}
	if s.Version != resultVersion {
		return saved{}, errors.New("check: a result of version " + strconv.Itoa(s.Version))
	}
	return s, nil
}
