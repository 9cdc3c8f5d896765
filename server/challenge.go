package server

import (
	"propusk/pki/person"
	"propusk/server/challenge"
	"propusk/server/login"
	"propusk/server/page"
	"propusk/server/signin"
)

// choiceURL is where people choose how to sign in; empty when there is nothing to choose.
func (s *Server) choiceURL() string {
	if !s.choice() {
		return ""
	}
	return s.opts.Config.Public.URL + "/signin"
}

// choice reports whether people have other ways to sign in than the sign-in host.
func (s *Server) choice() bool {
	return s.opts.Config.SignIn.Challenges() || s.opts.Config.Accounts.Kept()
}

// kinds are the kinds of holders that may sign in.
func (s *Server) kinds() []person.Kind {
	names := s.opts.Config.SignIn.Kinds
	kinds := make([]person.Kind, len(names))
	for i, kind := range names {
		kinds[i] = person.Kind(kind)
	}
	return kinds
}

// newChallenge returns the page that asks how to sign in, and what signs people in by a
// challenge; nil if there is nothing to ask.
func (s *Server) newChallenge(pages *page.Book, judge *signin.SignIn) (*challenge.Challenge, error) {
	c := s.opts.Config
	if !s.choice() {
		return nil, nil
	}
	o := challenge.Options{
		Issuer: c.Public.URL, SignInURL: c.SignIn.URL, Name: c.Challenge.Name, Keys: s.keys.challenge,
		AgentPorts: c.Challenge.AgentPorts, Kinds: s.kinds(), Services: make(map[string]string),
		States: c.Challenge.States, Orders: c.Challenge.Orders,
		Provider: s.provider, Judge: judge, Pages: pages, Now: s.opts.Now, Observe: s.metrics.Verdict, Journal: s.journal,
		Policy: s.policy, Notice: c.SignIn.Notice,
	}
	if s.people != nil {
		o.Accounts = &challenge.Accounts{
			Visits: s.people.visits, Password: login.PathPassword, Second: login.PathSecond, Recovery: login.PathRecovery,
			Registers: c.Registers(), Demo: !c.Login.Demo().IsZero(),
		}
	}
	for _, m := range c.SignIn.Methods {
		o.Methods = append(o.Methods, page.Method(m))
	}
	for _, client := range c.OIDC.Clients {
		o.Services[client.ID] = client.Name
	}
	return challenge.New(o)
}

// kept counts what is kept between requests, by sort.
func (s *Server) kept() map[string]int {
	all := s.provider.Sessions()
	if s.challenge != nil {
		all["challenge"], all["order"] = s.challenge.Waiting()
	}
	all["check"] = s.checks.Len()
	return all
}
