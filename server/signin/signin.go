package signin

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/journal"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/trust"
)

// SignIn answers on the sign-in host. It is safe for concurrent use. Make it with
// New.
type SignIn struct {
	judge judge
	opts  Options
}

// Options is what a SignIn needs; only ChoiceURL may be left out.
type Options struct {
	// Trust hands out the trust data.
	Trust trust.Guard
	// Kinds are the kinds of holders that may sign in; at least one.
	Kinds []person.Kind
	// Provider takes over people whose certificate is good.
	Provider *oidc.Provider
	// Pages writes pages.
	Pages *page.Book
	// ChoiceURL is the page with the other ways to sign in; empty when there are none.
	ChoiceURL string
	// Now returns the time, which is also the moment that certificates are
	// judged for.
	Now func() time.Time
	// Observe is called with each outcome: "signin", "whoami" or "check", the conclusion,
	// and the reason unless it passed.
	Observe func(subject, conclusion string, why reason.Code)
	// Journal writes sign-ins down; nil writes nothing.
	Journal *journal.Recorder
}

// New returns a SignIn.
func New(o Options) *SignIn {
	return &SignIn{judge: judge{trust: o.Trust, kinds: o.Kinds, now: o.Now, proven: spki.FromCertificate}, opts: o}
}

// Routes adds the routes of the sign-in host.
func (s *SignIn) Routes(r gin.IRouter) {
	request.Get(r, "/", s.look)
	r.GET("/signin", s.signIn)
	request.Get(r, "/api/v1/whoami", s.whoAmI)
}

// look tells a person how his certificate fares when no service is waiting.
func (s *SignIn) look(c *gin.Context) {
	o := s.observe(c, "signin")
	if o.code != "" {
		s.refuse(c, o)
		return
	}
	page.Written(c.Writer, c.Request, s.opts.Pages.SignedIn(c.Writer, c.Request, certificateFacts(o)))
}

// signIn judges the certificate and sends the person back with a ticket.
func (s *SignIn) signIn(c *gin.Context) {
	o := s.observe(c, "signin")
	if o.code != "" {
		if who, ok := o.vouched(); ok {
			s.opts.Journal.Refused(c.Request, o.event(), who)
		}
		s.refuse(c, o)
		return
	}
	values := c.Request.URL.Query()["request"]
	if len(values) != 1 {
		s.refuse(c, outcome{code: reason.SignInExpired})
		return
	}
	req, err := s.opts.Provider.Open(values[0])
	if err != nil {
		s.refuse(c, outcome{code: reason.Of(err), err: err})
		return
	}
	request.From(c.Request.Context()).Client = req.ClientID
	if s.opts.Provider.TooOld(req, o.cert.Parsed.SHA256(), o.proven) {
		c.Redirect(http.StatusSeeOther, c.Request.URL.RequestURI()) // over a connection of its own
		return
	}
	back, err := s.opts.Provider.Ticket(req, oidc.Login{
		Identity: o.who, CertSHA256: o.cert.Parsed.SHA256(), Certificate: o.cert.Parsed.Raw, Method: string(page.MethodGOSTTLS), At: o.proven,
	})
	if err == nil { // the ticket is nobody's yet
		err = s.opts.Journal.Passed(c.Request, o.event(), o.who)
	}
	if err != nil {
		o.code, o.err = reason.Of(err), err
		s.refuse(c, o)
		return
	}
	c.Redirect(http.StatusSeeOther, back)
}

// event is the outcome for the journal.
func (o outcome) event() journal.Event {
	return journal.Event{Kind: journal.SignIn, Action: "gost-tls", Certificate: o.cert.Parsed.SHA256()}
}

// observe judges the connection of the request, for the log and the metrics too.
// The answer ends the connection: the next one may bring another certificate
// (DOMAIN 7.4, row 25).
func (s *SignIn) observe(c *gin.Context, subject string) outcome {
	o := s.judge.connection(c.Request.Context())
	e := request.From(c.Request.Context())
	e.Code, e.Err, e.Conclusion, e.Engine = o.code, o.err, o.conclusion(), o.cert.Engine.String()
	s.opts.Observe(subject, e.Conclusion, o.code)
	c.Header("Connection", "close")
	return o
}

// refuse writes the page about an outcome.
func (s *SignIn) refuse(c *gin.Context, o outcome) {
	e := request.From(c.Request.Context())
	e.Code, e.Err = o.code, o.err
	page.Written(c.Writer, c.Request, s.opts.Pages.Failure(c.Writer, c.Request, page.Failure{
		Code: o.code, Facts: certificateFacts(o), Links: s.links(c.Request, o),
	}))
}

// links says where to go next: to the cabinet that fits, or here again with
// another certificate.
func (s *SignIn) links(r *http.Request, o outcome) []page.Link {
	links := cabinet(s.opts.Pages, o)
	if retry(o.code) {
		links = append(links, page.Link{Label: page.Text{RU: "Выбрать сертификат ещё раз", EN: "Choose a certificate again"}, URL: r.URL.RequestURI()})
	}
	if sealed := r.URL.Query().Get("request"); s.opts.ChoiceURL != "" && sealed != "" && o.code != reason.SignInExpired {
		links = append(links, page.Link{
			Label: page.Text{RU: "Войти другим способом", EN: "Sign in in another way"},
			URL:   s.opts.ChoiceURL + "?choose=1&request=" + url.QueryEscape(sealed),
		})
	}
	return links
}

// cabinet returns where a certificate of the wrong kind belongs.
func cabinet(pages *page.Book, o outcome) []page.Link {
	if o.code != reason.WrongHolderKind || o.cert.Parsed == nil {
		return nil
	}
	who, err := o.cert.Parsed.Identity()
	if err != nil {
		return nil
	}
	l, ok := pages.Cabinet(who.Kind)
	if !ok {
		return nil
	}
	return []page.Link{l}
}

// retry reports whether the same address may answer otherwise next time.
func retry(code reason.Code) bool {
	switch code {
	case reason.SignInExpired, reason.GOSTTLSRequired:
		return false
	}
	return true
}

// certificateFacts tells the person about the certificate that he chose. Only he
// sees it: the connection proved that he holds its key.
func certificateFacts(o outcome) []page.Fact {
	cert := o.cert.Parsed
	if cert == nil {
		return nil
	}
	var facts []page.Fact
	add := func(ru, en, value string) {
		if value != "" {
			facts = append(facts, page.Fact{Label: page.Text{RU: ru, EN: en}, Value: value})
		}
	}
	if who, err := cert.Identity(); err == nil {
		add("Владелец", "Holder", who.Name.Reveal())
		ru, en := who.Kind.Text()
		facts = append(facts, page.Fact{Label: page.Text{RU: "Вид владельца", EN: "Kind of holder"}, Words: page.Text{RU: ru, EN: en}})
		add("Организация", "Organization", who.Organization.Reveal())
		add("ИНН", "", who.INN.Reveal())
		add("ОГРНИП", "", who.OGRNIP.Reveal())
	}
	add("Удостоверяющий центр", "Certification authority", cert.Issuer.Get(gostx509.OIDCommonName))
	return append(facts,
		page.Fact{Label: page.Text{RU: "Действует с", EN: "Valid from"}, Words: page.Moment(cert.NotBefore)},
		page.Fact{Label: page.Text{RU: "Действует по", EN: "Valid until"}, Words: page.Moment(cert.NotAfter)})
}

// WhoAmI is the answer of /api/v1/whoami: what this connection proves.
type WhoAmI struct {
	Conclusion string      `json:"conclusion"`
	Code       reason.Code `json:"code,omitempty"`
	Text       report.Text `json:"text"`
	// Identity is there only if the conclusion is TOTAL-PASSED.
	Identity *report.Identity `json:"identity,omitempty"`
	// Certificate is the verdict in detail; absent without a certificate.
	Certificate *report.CertificateDocument `json:"certificate,omitempty"`
	Connection  request.Connection          `json:"connection"`
	SupportCode string                      `json:"support_code"`
}

// whoAmI answers in JSON. The status is 200 only for a good certificate, so that
// a caller who looks at the status alone lets nobody in.
func (s *SignIn) whoAmI(c *gin.Context) {
	o := s.observe(c, "whoami")
	out := WhoAmI{
		Conclusion:  o.conclusion(),
		Code:        o.code,
		Connection:  request.ConnectionFrom(c.Request.Context()),
		SupportCode: request.From(c.Request.Context()).ID,
	}
	status := http.StatusOK
	if o.cert.Parsed != nil {
		out.Certificate = report.Certificate(o.cert, o.trust, o.at)
		out.Text = out.Certificate.Text
	}
	if o.code == "" {
		out.Identity = report.NewIdentity(o.who)
	} else {
		d := problem.New(o.code, "", "")
		status, out.Text = d.Status, d.Text
	}
	c.JSON(status, out)
}
