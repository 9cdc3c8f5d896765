package server

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/admission"
	"propusk/server/captcha"
	"propusk/server/config"
	"propusk/server/factor"
	"propusk/server/journal"
	"propusk/server/level"
	"propusk/server/login"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/profile"
	"propusk/server/register"
	"propusk/server/registration"
	"propusk/server/signin"
	"propusk/server/support"
	"propusk/server/throttle"
	"propusk/server/visit"
)

// accounts are the parts of the gateway that people meet who have an account, or open one.
type accounts struct {
	captcha      *captcha.Keeper
	factors      *factor.Keeper
	throttle     *throttle.Throttle
	admission    *admission.Admission
	login        *login.Login
	registration *registration.Registration // nil if nobody can register here
	register     register.Register          // nil if no register is asked
	profile      *profile.Profile
	support      *support.Support
}

// accountAreas are the pages of accounts.
func accountAreas() []page.Set {
	return []page.Set{visit.Templates(), login.Templates(), registration.Templates(), profile.Templates(), support.Templates()}
}

// accountPaths are the pages where [oidc.Provider.Own] may end, with all below them.
func accountPaths() []string { return []string{profile.Path, login.PathByKey} }

// admitByAccount makes the provider one that knows visits, if there are accounts. The parts
// are made after it.
func (s *Server) admitByAccount(o *oidc.Options, pages *page.Book) error {
	c := s.opts.Config
	if !c.Accounts.Kept() {
		return nil
	}
	if c.Levels.Path != "" {
		var err error
		if s.policy, err = level.Load(c.Levels.Path); err != nil {
			return fmt.Errorf("server: levels.path: %w", err)
		}
		for _, name := range s.policy.Clients() {
			if !slices.ContainsFunc(c.OIDC.Clients, func(client config.Client) bool { return client.ID == name }) {
				return fmt.Errorf("server: levels.path: there is no client %q in oidc.clients", name)
			}
		}
	}
	o.Policy, o.LogoutURL, o.Paths = s.policy, visit.PathLogout, accountPaths()
	o.Admit = func(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
		s.accounts.admission.Key(w, r, req, who)
	}
	o.Visit = func(r *http.Request) (oidc.Login, bool) { return s.people.visits.Who(r) }
	o.Granted = func(ctx context.Context, who oidc.Login, clientID string) error {
		return s.people.visits.Granted(ctx, who, clientID)
	}
	o.Continue = func(w http.ResponseWriter, r *http.Request, address string) {
		page.Written(w, r, pages.Onward(w, r, address))
	}
	return nil
}

// newAccounts makes the parts that need the provider and the challenge.
func (s *Server) newAccounts(pages *page.Book, entry *signin.SignIn) error {
	c, p := s.opts.Config, s.people
	if p == nil {
		return nil
	}
	a := &accounts{
		captcha:  captcha.New(s.opts.Now),
		factors:  factor.New(factor.Options{Sealer: p.sealer, Issuer: c.Challenge.Name, Now: s.opts.Now, CodeLife: c.Login.CodeLife}),
		throttle: throttle.New(throttle.Options{Sealer: p.sealer, Now: s.opts.Now}),
	}
	s.accounts = a
	var err error
	if a.register, err = s.newRegister(); err != nil {
		return err
	}
	o := admission.Options{
		Store: p.store, Provider: s.provider, Visits: p.visits, Devices: a.throttle, EntrepreneurYears: c.Profile.EntrepreneurYears,
		Mail: p.mail, Address: s.addressOf, Pages: pages, Now: s.opts.Now,
		Observe: func(conclusion string, why reason.Code) { s.metrics.Verdict("account", conclusion, why) },
	}
	if a.register != nil {
		o.Enterprises = enterprises{a.register}
	}
	if c.Registers() {
		o.Newcomers = newcomers{a}
	}
	a.admission = admission.New(o)
	if a.login, err = s.newLogin(pages); err != nil {
		return err
	}
	if c.Registers() {
		if a.registration, err = s.newRegistration(pages, entry); err != nil {
			return err
		}
	}
	a.profile = profile.New(profile.Options{
		Store: p.store, Provider: s.provider, Visits: p.visits, Admission: a.admission, Passwords: a.login, Factors: a.factors,
		Histories: history{p.upkeep, s.journal}, Forget: func(cert [32]byte) { s.sessions.Forget(cert) }, Mail: p.mail, PublicURL: c.Public.URL,
		LinkLife: c.Profile.EmailLinkLife, Fresh: c.Profile.ConfirmFor, Pages: pages, Now: s.opts.Now,
	})
	a.support = support.New(support.Options{
		Store: p.store, Visits: p.visits, Captcha: a.captcha, Throttle: a.throttle, Mail: p.mail,
		Check: s.checkedCertificate, Pages: pages, Refuse: refuse(pages), Now: s.opts.Now,
	})
	return nil
}

// addressOf is what is kept of the address of a request.
func (s *Server) addressOf(remote string) person.Private {
	return journal.Place(remote, s.opts.Config.Journal.Addresses)
}

// newcomers is the registration, which is made later than the admission.
type newcomers struct{ a *accounts }

func (n newcomers) Begin(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
	n.a.registration.Begin(w, r, req, who)
}

func (n newcomers) Await(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
	n.a.registration.Await(w, r, req, who)
}

func (s *Server) newLogin(pages *page.Book) (*login.Login, error) {
	c, a, p := s.opts.Config.Login, s.accounts, s.people
	hasher, err := password.New(password.Options{
		Params: password.Params{Memory: uint32(c.HashMemory), Time: uint32(c.HashPasses)}, //nolint:gosec // checked by Validate
		Pepper: password.Pepper(p.sealer), Concurrent: c.HashesAtOnce, Waiting: c.HashQueue,
	})
	if err != nil {
		return nil, fmt.Errorf("server: login: %w", err)
	}
	return login.New(login.Options{
		Store: p.store, Provider: s.provider, Admission: a.admission, Visits: p.visits, Hasher: hasher,
		Policy: password.Policy{MinLength: c.MinLength}, Factors: a.factors, Throttle: a.throttle, Mail: p.mail, Pages: pages,
		Refuse: refuse(pages), SecondAlways: c.SecondAlways(), WaitLife: c.StepLife, LinkLife: c.LinkLife, Demo: c.Demo(), Now: s.opts.Now,
	}), nil
}

func (s *Server) newRegistration(pages *page.Book, entry *signin.SignIn) (*registration.Registration, error) {
	c, a, p := s.opts.Config, s.accounts, s.people
	agreement := registration.Agreement{}
	if path := c.Registration.Agreement; path != "" {
		text, err := os.ReadFile(path)
		if err == nil {
			agreement, err = registration.NewAgreement(string(text))
		}
		if err != nil {
			return nil, fmt.Errorf("server: registration.agreement: %w", err)
		}
	}
	return registration.New(registration.Options{
		Issuer: c.Public.URL, Gateway: c.Challenge.Name, Store: p.store, Sealer: p.sealer, Admit: a.admission.Key, Judge: entry.Judge,
		Signer: s.challenge, Passwords: a.login, Captcha: a.captcha, Register: a.register, Agreement: agreement, Kinds: s.kinds(),
		Life: c.Registration.Life, LinkLife: c.Registration.LinkLife, ActivateWithin: c.Registration.ActivateWithin,
		CheckDays: c.Registration.CheckDays, WorkingDays: c.Registration.CheckWorkingDays, Letters: c.Registration.Letters,
		Mail: p.mail, Address: s.addressOf, Pages: pages, Now: s.opts.Now,
	}), nil
}

// newRegister returns the register of entrepreneurs; nil if none is asked.
func (s *Server) newRegister() (register.Register, error) {
	c := s.opts.Config.Registration.Register
	switch {
	case c.File != "":
		file, err := register.OpenFile(c.File)
		if err != nil {
			return nil, fmt.Errorf("server: registration.register.file: %w", err)
		}
		return file, nil
	case c.URL != "":
		o := register.HTTPOptions{URL: c.URL, Timeout: c.Timeout, Now: s.opts.Now}
		if c.TokenFile != "" {
			token, err := s.keys.safe.secret(c.TokenFile)
			if err != nil {
				return nil, fmt.Errorf("server: registration.register.token_file: %w", err)
			}
			o.Token = strings.TrimSpace(string(token))
		}
		remote, err := register.NewHTTP(o)
		if err != nil {
			return nil, fmt.Errorf("server: registration.register.url: %w", err)
		}
		return remote, nil
	}
	return nil, nil
}

// enterprises asks a register whether somebody is an entrepreneur still.
type enterprises struct{ register register.Register }

// Ended implements admission.Enterprises. An entrepreneur whom the register does not have
// is not known to have ended, and who has ended one enterprise and begun another is one.
func (e enterprises) Ended(ctx context.Context, who person.Identity) (time.Time, error) {
	entry, err := e.register.Find(ctx, register.Query{INN: who.INN, OGRNIP: who.OGRNIP})
	if err != nil {
		return time.Time{}, err
	}
	if entry.Closed.IsZero() {
		return time.Time{}, nil
	}
	if last, err := e.register.Find(ctx, register.Query{INN: who.INN}); err == nil {
		return last.Closed, nil
	}
	return entry.Closed, nil
}

// accountRoutes adds the pages of accounts to the public host.
func (s *Server) accountRoutes(e *gin.Engine, pages *page.Book) {
	a := s.accounts
	if a == nil {
		return
	}
	visit.Pages{Keeper: s.people.visits, Provider: s.provider, Book: pages, Refuse: refuse(pages)}.Routes(e)
	a.captcha.Routes(e)
	a.login.Routes(e)
	if a.registration != nil {
		a.registration.Routes(e)
	}
	a.profile.Routes(e)
	a.support.Routes(e)
}
