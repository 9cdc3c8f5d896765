package server

import (
	"context"
	"net/http"

	"propusk/server/check"
	"propusk/server/page"
	"propusk/server/profile"
	"propusk/server/request"
	"propusk/server/signin"
	"propusk/server/support"
)

// newCheck returns the environment check page.
func (s *Server) newCheck(pages *page.Book, judge *signin.SignIn) (*check.Check, error) {
	c := s.opts.Config
	o := check.Options{
		PublicURL: c.Public.URL, SignInURL: c.SignIn.URL, CheckURL: c.Check.URL, AgentPorts: c.Challenge.AgentPorts, Kinds: s.kinds(),
		Trust: s.guard, Judge: judge, Challenge: s.challenge, Pages: pages,
		Runs: c.Check.Runs, ResultLife: c.Check.ResultLife, Now: s.opts.Now,
	}
	if s.people != nil {
		o.Store = s.people.store
		o.TicketURL = c.Public.URL + support.Path
	}
	if s.accounts != nil && s.accounts.registration != nil {
		o.RegistrationURL = c.Public.URL + profile.Path // who has no account is led on from there
	}
	for _, m := range c.SignIn.Methods {
		o.Methods = append(o.Methods, page.Method(m))
	}
	for _, client := range c.OIDC.Clients {
		if client.URL != "" {
			o.Services = append(o.Services, page.Link{Label: page.Text{RU: client.Name}, URL: client.URL})
		}
	}
	return check.New(o)
}

// checkedCertificate returns the certificate of a result of the check page.
func (s *Server) checkedCertificate(ctx context.Context, code string) ([]byte, bool) {
	report, ok := s.checks.Report(ctx, code)
	return report.Certificate, ok
}

// checkHost is the host without TLS, for people whose browser does not get further.
func (s *Server) checkHost(pages *page.Book) http.Handler {
	e := s.engine("check", s.opts.Config.Check.URL, "", refuse(pages))
	request.Get(e, "/language", show(pages.ChangeLanguage))
	addStatic(e)
	s.checks.Routes(e, s.opts.Config.Check.URL)
	return beside(s.opts.Services, e)
}
