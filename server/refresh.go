package server

import (
	"fmt"

	"propusk/certs"
	"propusk/certs/fetch"
	"propusk/certs/refresh"
	"propusk/pki/validate"
	"propusk/server/config"
)

// TrustSource returns the files that a configuration rests on, fetched ones among
// them. A store of [Options] must have this source.
func TrustSource(c config.Trust) certs.Source { return certs.Source{Dir: c.Dir, State: c.StateDir} }

// newRefresher returns who fetches trust data; nil if the configuration wants
// nothing fetched.
func (s *Server) newRefresher() (*refresh.Refresher, error) {
	o := refresh.Options{Store: s.opts.Trust, Reloaded: s.reloaded, Log: s.opts.Log, Now: s.opts.Now}
	if s.client != nil {
		o.Getter = s.client
	}
	return NewRefresher(s.opts.Config.Trust, o, s.opts.Version)
}

// newClient returns who asks servers, for trust data and about revocation; nil if the
// configuration wants nobody asked.
func (s *Server) newClient() (*fetch.Client, error) {
	c := s.opts.Config
	if c.Trust.StateDir == "" && !c.Revocation.Online {
		return nil, nil
	}
	options := c.Client()
	options.UserAgent = "propusk/" + s.opts.Version
	client, err := fetch.New(options)
	if err != nil {
		return nil, fmt.Errorf("server: trust.refresh: %w", err)
	}
	return client, nil
}

// NewRefresher returns who fetches the trust data of a configuration into the store
// of o; nil if it wants nothing fetched. What the configuration says is filled in, and
// a Getter if there is none.
func NewRefresher(c config.Trust, o refresh.Options, version string) (*refresh.Refresher, error) {
	if c.StateDir == "" {
		return nil, nil
	}
	if o.Getter == nil {
		options := c.Refresh.Client()
		options.UserAgent = "propusk/" + version
		client, err := fetch.New(options)
		if err != nil {
			return nil, fmt.Errorf("server: trust.refresh: %w", err)
		}
		o.Getter = client
	}
	r := c.Refresh
	o.ListURLs, o.CRLURLs, o.NoDiscovered, o.AllowListed = r.ListURLs, r.CRLURLs, !r.Discover, r.ListedHosts
	o.ListInterval, o.Interval, o.MinInterval, o.Budget = r.ListInterval, r.Interval, r.MinInterval, r.Budget
	return refresh.New(o), nil
}

// judged is told every certificate that is judged: its revocation list is fetched
// from now on, or its CA is not known and the operator should hear of it.
func (s *Server) judged(c validate.Certificate) {
	s.strange.Judged(c, s.opts.Now())
	if s.refresh != nil && c.Anchored && len(c.Chain) > 1 {
		s.refresh.Saw(c.Chain[0], c.Chain[1])
	}
}
