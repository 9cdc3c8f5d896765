package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"propusk/gost/gosttls"
)

// checker collects mistakes by the name of the field.
type checker struct{ errs []error }

func (k *checker) that(ok bool, field, want string) {
	if !ok {
		k.errs = append(k.errs, fmt.Errorf("config: %s: %s", field, want))
	}
}

// Validate reports every mistake at once, each by the name of its field in the
// file. It looks at the values only, not at the files that they name.
func (c Config) Validate() error {
	var k checker
	k.host("public", c.Public)
	k.host("signin", c.SignIn.Host)
	k.gostTLS(c.GOSTTLS)
	k.signIn(c)
	k.check(c.Check)
	k.that(loopback(c.Admin.Listen), "admin.listen", "must be a loopback IP address and port: it has no authentication")
	k.that(c.Trust.Dir != "", "trust.dir", "must be set")
	k.span("trust.reload", c.Trust.Reload, time.Second, 24*time.Hour)
	k.span("trust.max_age", c.Trust.MaxAge, time.Minute, 366*24*time.Hour)
	k.refresh(c.Trust)
	k.revocation(c)
	k.verification(c.Verification)
	k.oidc(c.OIDC)
	k.challenge(c)
	k.report(c.Report)
	k.hsm(c)
	k.journal(c.Journal)
	k.accounts(c.Accounts, c.Journal)
	k.profile(c.Profile)
	k.registration(c.Registration)
	k.login(c.Login)
	k.visits(c.Visits)
	k.mail(c.Mail)
	k.api(c.API)
	for _, kind := range slices.Sorted(maps.Keys(c.Cabinets)) {
		field := "cabinets." + kind
		k.that(slices.Contains(kinds(), kind), field, "the kind must be one of ip, ul, fl")
		k.that(c.Cabinets[kind].Name != "", field+".name", "must be set")
		k.that(c.Cabinets[kind].URL == "" || link(c.Cabinets[kind].URL), field+".url", "must be an http:// or https:// address, or empty")
	}
	k.that(c.Support.URL == "" || supportLink(c.Support.URL), "support.url", "must be an http://, https:// or mailto: address, or empty")
	k.that(slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "must be debug, info, warn or error")
	k.limits(c.Limits)
	return errors.Join(k.errs...)
}

func (k *checker) host(name string, h Host) {
	k.that(origin(h.URL, "https"), name+".url", "must be https://host[:port] without a path")
	k.that(address(h.Listen), name+".listen", "must be host:port")
	k.that(h.TLS.Certificate != "", name+".tls.certificate", "must be set")
	k.that(h.TLS.Key != "", name+".tls.key", "must be set")
	k.that(h.TLS.GOSTCertificate != "", name+".tls.gost_certificate", "must be set")
	k.that(h.TLS.GOSTKey != "", name+".tls.gost_key", "must be set")
}

func (k *checker) gostTLS(g GOSTTLS) {
	seen := map[string]bool{}
	for _, name := range g.Suites {
		k.that(slices.Contains(suiteNames(), name), "gost_tls.suites", fmt.Sprintf("%q must be one of %s", name, strings.Join(suiteNames(), ", ")))
		k.that(!seen[name], "gost_tls.suites", fmt.Sprintf("%q is there twice", name))
		seen[name] = true
	}
	k.that(len(g.Suites) > 0 || g.LegacySuite, "gost_tls.suites", "must name at least one suite")
	k.that(!g.LegacyVersions || g.LegacySuite, "gost_tls.legacy_versions", "needs legacy_suite: clients of these versions know no other suite")
	k.span("gost_tls.session_life", g.SessionLife, 0, gosttls.MaxSessionLifetime)
	k.that(g.SessionLife == 0 || g.SessionLife >= time.Second, "gost_tls.session_life", "must be 0 or at least 1s")
	k.span("gost_tls.ticket_rotation", g.TicketRotation, time.Minute, 7*24*time.Hour)
}

func (k *checker) signIn(c Config) {
	k.that(c.SignIn.URL == "" || c.SignIn.URL != c.Public.URL, "signin.url", "must differ from public.url: the public host never asks for a certificate")
	k.that(len(c.SignIn.Kinds) > 0, "signin.kinds", "must name at least one kind of holder")
	for _, kind := range c.SignIn.Kinds {
		k.that(slices.Contains(kinds(), kind), "signin.kinds", "must be of ip, ul, fl")
	}
	k.span("signin.ticket_life", c.SignIn.TicketLife, time.Second, 5*time.Minute)
	k.span("signin.request_life", c.SignIn.RequestLife, time.Minute, time.Hour)
}

func (k *checker) oidc(o OIDC) {
	k.that(o.SubjectSecret != "", "oidc.subject_secret", "must be set")
	k.span("oidc.code_life", o.CodeLife, time.Second, 10*time.Minute)
	k.span("oidc.token_life", o.TokenLife, time.Minute, time.Hour)
	seen := map[string]bool{}
	for i, c := range o.Clients {
		field := "oidc.clients[" + strconv.Itoa(i) + "]"
		k.that(c.ID != "", field+".id", "must be set")
		k.that(!seen[c.ID], field+".id", "is used twice")
		seen[c.ID] = true
		k.that(c.Name != "", field+".name", "must be set")
		k.that(c.URL == "" || link(c.URL), field+".url", "must be an http:// or https:// address, or empty")
		k.that(len(c.RedirectURIs) > 0, field+".redirect_uris", "must name at least one address")
		for _, u := range c.RedirectURIs {
			k.that(redirect(u), field+".redirect_uris", "must be https://, or http:// on a loopback address, without a fragment")
		}
		k.that(c.BackChannelLogoutURI == "" || redirect(c.BackChannelLogoutURI), field+".backchannel_logout_uri", "must be https://, or http:// on a loopback address, without a fragment, or empty")
		for _, u := range c.PostLogoutRedirectURIs {
			k.that(redirect(u), field+".post_logout_redirect_uris", "must be https://, or http:// on a loopback address, without a fragment")
		}
	}
}

func (k *checker) limits(l Limits) {
	k.that(l.Body >= 1<<10 && l.Body <= 1<<30, "limits.body", "must be between 1024 and 1073741824 bytes")
	k.that(l.Document >= l.Body && l.Document <= 1<<40, "limits.document", "must be between limits.body and 1099511627776 bytes")
	k.that(l.Batch >= 1 && l.Batch <= 10000, "limits.batch", "must be between 1 and 10000")
	k.that(l.Verifications >= 1 && l.Verifications <= 10000, "limits.verifications", "must be between 1 and 10000")
	k.that(l.Sessions >= 1 && l.Sessions <= 10_000_000, "limits.sessions", "must be between 1 and 10000000")
	k.span("limits.verify_wait", l.VerifyWait, 0, time.Minute)
	k.span("limits.handshake", l.Handshake, time.Second, 10*time.Minute)
	k.that(l.HandshakesPerAddress >= 1 && l.HandshakesPerAddress <= 1024, "limits.handshakes_per_address", "must be between 1 and 1024")
	k.span("limits.shutdown", l.Shutdown, 0, 5*time.Minute)
}

func (k *checker) span(field string, d, low, high time.Duration) {
	k.that(d >= low && d <= high, field, fmt.Sprintf("must be between %s and %s", low, high))
}

// kinds are the kinds of holder that a cabinet can be for.
func kinds() []string { return []string{"ip", "ul", "fl"} }

// address reports whether s is "host:port" with a decimal port.
func address(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func loopback(s string) bool {
	a, err := netip.ParseAddrPort(s)
	return err == nil && a.Addr().IsLoopback()
}

// origin reports whether s is scheme://host[:port] and nothing more.
func origin(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && s == u.Scheme+"://"+u.Host
}

func link(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}

func supportLink(s string) bool {
	u, err := url.Parse(s)
	return link(s) || (err == nil && u.Scheme == "mailto" && u.Opaque != "")
}

// redirect reports whether s may receive an authorization code. Plain HTTP is
// for loopback only: there is no wire to listen on. RFC 8252, Section 7.3.
func redirect(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Fragment != "" || u.User != nil {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}
