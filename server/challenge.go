package server

import (
	"propusk/pki/person"
	"propusk/server/challenge"
	"propusk/server/page"
	"propusk/server/signin"
)

// choiceURL is where people choose how to sign in; empty when there is nothing to choose.
func (s *Server) choiceURL() string {
	if !s.opts.Config.SignIn.Challenges() {
		return ""
	}
	return s.opts.Config.Public.URL + "/signin"
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

// newChallenge returns what signs people in by a challenge; nil if nothing does.
func (s *Server) newChallenge(pages *page.Book, judge *signin.SignIn) (*challenge.Challenge, error) {
	c := s.opts.Config
	if !c.SignIn.Challenges() {
		return nil, nil
	}
	o := challenge.Options{
		Issuer: c.Public.URL, SignInURL: c.SignIn.URL, Name: c.Challenge.Name, Keys: s.keys.challenge,
		AgentPorts: c.Challenge.AgentPorts, Kinds: s.kinds(), Services: make(map[string]string),
		States: c.Challenge.States, Orders: c.Challenge.Orders,
		Provider: s.provider, Judge: judge, Pages: pages, Now: s.opts.Now, Observe: s.metrics.Verdict, Journal: s.journal,
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
