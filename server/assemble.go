package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/gost/gosttls"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/server/admin"
	"propusk/server/api"
	"propusk/server/apikey"
	"propusk/server/check"
	"propusk/server/config"
	"propusk/server/metrics"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/page/plugins"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/resumption"
	"propusk/server/signin"
)

// Timeouts and limits of HTTP. A client that is slower than this is not a person
// with a browser.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 2 * time.Minute // the body of a verify request over a slow line
	writeTimeout      = 3 * time.Minute
	idleTimeout       = time.Minute
	maxHeaderBytes    = 32 << 10 // a sealed request in the URL is about 2 KiB
)

// assemble makes the parts and gives each host its routes.
func (s *Server) assemble() error {
	c := s.opts.Config
	site := newSite(c)
	pages, err := page.New(site, areas()...)
	if err != nil {
		return err
	}
	site.AssetsURL = c.Public.URL
	signInPages, err := page.New(site)
	if err != nil {
		return err
	}
	if s.provider, err = s.newProvider(pages); err != nil {
		return err
	}
	s.metrics = metrics.New(metrics.Gauges{
		Trust: s.opts.Trust.Current, Sessions: s.kept, Version: s.opts.Version,
	})
	s.metrics.WatchFreshness(metrics.Freshness{
		Trust: s.opts.Trust.Current, Now: s.opts.Now, UnknownCAs: s.strange.Count, Refresher: s.refresh,
	})
	if online := s.guard.Online; online != nil {
		s.metrics.WatchRevocation(func() revocation.Stats { return online.Stats(s.opts.Now()) })
	}
	s.journal = s.newJournal()
	if s.people, err = s.openPeople(); err != nil {
		return err
	}
	entry := s.signInEntry(signInPages)
	if s.challenge, err = s.newChallenge(pages, entry); err != nil {
		return err
	}
	if err := s.newAccounts(pages, entry); err != nil {
		return err
	}
	if s.checks, err = s.newCheck(pages, entry); err != nil {
		return err
	}
	if s.verifier != nil {
		s.metrics.WatchEngine(func() bool { return s.verifier.Status().Code != "" })
	}
	s.metrics.WatchKeys(func() int { return len(s.keys.safe.ring.Lost()) })
	s.public = s.publicHost(pages)
	s.signIn = s.signInHost(signInPages, entry)
	s.sessions = resumption.New(resumption.Options{
		Life: sessionLife(c), Rotation: c.GOSTTLS.TicketRotation, Now: s.opts.Now, Judge: entry.Judge,
	})
	s.check = s.checkHost(pages)
	s.admin = s.adminHost()
	return nil
}

// areas are the pages that packages bring.
func areas() []page.Set { return append(accountAreas(), check.Templates()) }

func newSite(c config.Config) page.Site {
	site := page.Site{
		PublicURL: c.Public.URL, SignInURL: c.SignIn.URL, CheckURL: c.Check.URL, SupportURL: supportURL(c),
		Upload: c.API.Page, Accounts: c.Accounts.Path != "", Cabinets: make(map[person.Kind]page.Link),
	}
	for _, client := range c.OIDC.Clients {
		if client.URL != "" {
			site.Services = append(site.Services, page.Link{Label: page.Text{RU: client.Name}, URL: client.URL})
		}
	}
	for kind, cabinet := range c.Cabinets {
		site.Cabinets[person.Kind(kind)] = page.Link{Label: page.Text{RU: cabinet.Name}, URL: cabinet.URL}
	}
	return site
}

func (s *Server) newProvider(pages *page.Book) (*oidc.Provider, error) {
	c := s.opts.Config
	o := oidc.Options{
		Issuer: c.Public.URL, SignInURL: c.SignIn.URL, ChoiceURL: s.choiceURL(), Key: s.keys.token, SubjectSecret: s.keys.subject,
		RequestLife: c.SignIn.RequestLife, TicketLife: c.SignIn.TicketLife,
		CodeLife: c.OIDC.CodeLife, TokenLife: c.OIDC.TokenLife,
		Limit: c.Limits.Sessions, Now: s.opts.Now, Refuse: refuse(pages),
		SessionLife: sessionLife(c),
		Logout:      func(cert [32]byte) { s.sessions.Forget(cert) },
	}
	for i, client := range c.OIDC.Clients {
		o.Clients = append(o.Clients, oidc.Client{
			ID: client.ID, Secret: s.keys.clients[i],
			RedirectURIs: client.RedirectURIs, PostLogoutRedirectURIs: client.PostLogoutRedirectURIs, BackChannelLogoutURI: client.BackChannelLogoutURI,
		})
	}
	if err := s.admitByAccount(&o, pages); err != nil {
		return nil, err
	}
	return oidc.New(o)
}

// engine returns the engine of a host.
func (s *Server) engine(name, hostURL, assets string, refuse refusal) *gin.Engine {
	e := request.NewEngine(request.Options{
		Host: name, Log: s.opts.Log, Now: s.opts.Now, HSTS: strictTransport(hostURL, s.opts.Config),
		AssetsURL: assets, Refuse: refuse, Observe: s.metrics.Request,
	})
	e.Use(func(c *gin.Context) {
		if !strings.HasPrefix(c.Request.URL.Path, "/api/") {
			page.KeepLanguage(c.Writer, c.Request)
		}
	})
	return e
}

func (s *Server) publicHost(pages *page.Book) http.Handler {
	c := s.opts.Config
	e := s.engine("public", c.Public.URL, "", refuse(pages))
	request.Get(e, "/", show(pages.Home))
	request.Get(e, "/language", show(pages.ChangeLanguage))
	addStatic(e)
	s.checks.Routes(e, c.Public.URL)
	s.provider.Routes(e)
	if s.challenge != nil {
		s.challenge.Routes(e)
		files := gin.WrapH(plugins.Handler())
		for _, path := range plugins.Files() {
			request.Get(e, path, files)
		}
	}
	s.accountRoutes(e, pages)
	verify := api.New(api.Options{
		Trust: s.guard, Now: s.opts.Now, Keys: s.keeper(),
		MaxBody: c.Limits.Body, MaxDocument: c.Limits.Document, MaxBatch: c.Limits.Batch,
		Verifications: c.Limits.Verifications, Wait: c.Limits.VerifyWait, Observe: s.metrics.Verdict,
		Signatory: s.keys.reports,
	})
	verify.Routes(e)
	verify.Authorities(e, pages)
	if c.API.Page {
		verify.People(e, pages)
	}
	return e
}

// keeper knows the keys of the verify API.
func (s *Server) keeper() *apikey.Keeper {
	c := s.opts.Config.API
	o := apikey.Options{Required: c.KeyRequired, Anonymous: quota(c.Anonymous), Now: s.opts.Now, Observe: s.metrics.APIRequest}
	for _, k := range c.Keys {
		o.Keys = append(o.Keys, apikey.Key{ID: k.ID, Digest: k.Digest(), Quota: quota(k.Quota)})
	}
	return apikey.NewKeeper(o)
}

func quota(q config.Quota) apikey.Quota {
	return apikey.Quota{Requests: q.RequestsPerMinute, Bytes: q.BytesPerMinute, Concurrent: q.Concurrent}
}

func (s *Server) signInEntry(pages *page.Book) *signin.SignIn {
	kinds := s.kinds()
	return signin.New(signin.Options{
		Trust: s.guard, Kinds: kinds, Provider: s.provider, Pages: pages, ChoiceURL: s.choiceURL(),
		Now: s.opts.Now, Observe: s.metrics.Verdict, Journal: s.journal,
	})
}

func (s *Server) signInHost(pages *page.Book, entry *signin.SignIn) http.Handler {
	c := s.opts.Config
	e := s.engine("signin", c.SignIn.URL, c.Public.URL, refuse(pages))
	entry.Routes(e)
	s.checks.SignInRoutes(e)
	return e
}

// sessionLife is how long TLS sessions of people are resumed: no longer than a visit rests
// before it opens nothing, because who comes back then is to prove the key.
func sessionLife(c config.Config) time.Duration {
	if c.Accounts.Kept() {
		return min(c.GOSTTLS.SessionLife, c.Visits.Idle)
	}
	return c.GOSTTLS.SessionLife
}

// beside lets services answer for the paths that begin with their keys.
func beside(services map[string]http.Handler, others http.Handler) http.Handler {
	if len(services) == 0 {
		return others
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for prefix, service := range services {
			if strings.HasPrefix(r.URL.Path, prefix) {
				service.ServeHTTP(w, r)
				return
			}
		}
		others.ServeHTTP(w, r)
	})
}

func (s *Server) adminHost() http.Handler {
	e := s.engine("admin", "", "", refuseProgram)
	admin.Admin{
		Trust: s.guard.Current, StateError: s.opts.Trust.StateError, Strangers: &s.strange, Refresher: s.refresh, Engine: s.verifier,
		LostKeys: s.keys.safe.ring.Lost,
		Metrics:  s.metrics.Handler(), Now: s.opts.Now,
	}.Routes(e)
	return beside(s.opts.AdminServices, e)
}

// refusal writes the answer to a request that could not be served.
type refusal = func(http.ResponseWriter, *http.Request, reason.Code)

// refuse returns how a host with pages answers what it cannot serve: with a page
// for people, with a problem document for programs.
func refuse(pages *page.Book) refusal {
	return func(w http.ResponseWriter, r *http.Request, code reason.Code) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			refuseProgram(w, r, code)
			return
		}
		page.Written(w, r, pages.Failure(w, r, page.Failure{Code: code}))
	}
}

// refuseProgram answers a program with a problem document.
func refuseProgram(w http.ResponseWriter, r *http.Request, code reason.Code) {
	problem.Write(w, problem.New(code, "", request.From(r.Context()).ID))
}

// show makes a handler of a page.
func show(write func(http.ResponseWriter, *http.Request) error) gin.HandlerFunc {
	return func(c *gin.Context) { page.Written(c.Writer, c.Request, write(c.Writer, c.Request)) }
}

func addStatic(e *gin.Engine) {
	files := gin.WrapH(page.Static())
	for _, path := range page.StaticFiles() {
		request.Get(e, path, files)
	}
}

// strictTransport reports whether browsers may be told to use nothing but TLS
// for the host of a URL. They would then refuse everything else under the same
// name, whatever its port.
func strictTransport(hostURL string, c config.Config) bool {
	u, err := url.Parse(hostURL)
	if err != nil || u.Scheme != "https" {
		return false
	}
	others := []string{c.Check.URL}
	for _, client := range c.OIDC.Clients {
		others = append(others, client.URL)
	}
	for _, other := range others {
		if o, err := url.Parse(other); err == nil && o.Scheme == "http" && o.Hostname() == u.Hostname() {
			return false
		}
	}
	return true
}

// gostTLS is what the hosts have in common.
func (s *Server) gostTLS() gosttls.Config {
	c := s.opts.Config
	config := gosttls.Config{CipherSuites: c.GOSTTLS.SuiteIDs(), HandshakeTimeout: c.Limits.Handshake}
	if c.GOSTTLS.LegacyVersions {
		config.MinVersion = gosttls.VersionTLS10
	}
	return config
}

func (s *Server) publicTLS() *gosttls.Config {
	config := s.gostTLS()
	s.sessions.Offer(&config, "public")
	return &config
}

// signInTLS asks for a certificate and takes any, or none. It may be proven by an
// earlier connection, as long as nothing has changed since by which it is judged, unless
// a module has to verify the proof: only a new one has it.
func (s *Server) signInTLS() *gosttls.Config {
	config := s.gostTLS()
	config.ClientAuth = gosttls.RequestClientCert
	if s.verifier != nil {
		return &config
	}
	s.sessions.OfferCertified(&config, "signin", func() string { return s.opts.Trust.Current().ID() })
	return &config
}

// tls returns a listener that speaks GOST and ordinary TLS.
func (s *Server) tls(name string, inner net.Listener, k hostKeys, gost *gosttls.Config) net.Listener {
	d := newDoor(inner, s.opts.Config.Limits.HandshakesPerAddress, func() {
		s.metrics.Handshake(name, gosttls.ConnectionState{}, gosttls.ErrTooManyHandshakes)
	})
	gost.Certificates = []gosttls.Certificate{k.gost}
	l := gosttls.NewListener(d, gost,
		&tls.Config{
			Certificates: []tls.Certificate{k.ordinary},
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"http/1.1"},
		})
	l.HandshakeDone = func(st gosttls.ConnectionState, err error) { s.handshakeDone(name, st, err) }
	return hall{l, d}
}

// handshakeDone counts a handshake on the listener named host. Only a mistake of
// ours is logged as well: a count does not tell where to look for it.
func (s *Server) handshakeDone(host string, st gosttls.ConnectionState, err error) {
	s.metrics.Handshake(host, st, err)
	s.checks.Handshake(host, st, err)
	if errors.Is(err, gosttls.ErrPanic) {
		s.opts.Log.LogAttrs(context.Background(), slog.LevelError, "panic in a handshake",
			slog.String("host", host), slog.Any("err", err))
	}
}

// httpServer returns the server of one host.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ConnContext:       gosttls.ConnContext,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// What net/http has to say is about connections, with their addresses.
		ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
	}
}
