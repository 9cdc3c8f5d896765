package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"propusk/pki/reason"
)

// allowList says which hosts and ports may be asked.
type allowList struct {
	any      bool
	exact    map[string]bool
	suffixes []string // with the leading dot
	ports    []uint16
}

// newAllowList reads the hosts of Options.
func newAllowList(hosts []string, ports []uint16) (allowList, error) {
	a := allowList{exact: make(map[string]bool), ports: ports}
	if len(ports) == 0 {
		a.ports = []uint16{80, 443}
	}
	for _, h := range hosts {
		if err := CheckHost(h); err != nil {
			return allowList{}, err
		}
		h = canonical(h)
		switch {
		case h == "*":
			a.any = true
		case strings.HasPrefix(h, "."):
			a.suffixes = append(a.suffixes, h)
			a.exact[h[1:]] = true
		default:
			a.exact[h] = true
		}
	}
	return a, nil
}

// CheckHost says what is wrong with a host of [Options], or nil.
func CheckHost(host string) error {
	name := strings.TrimPrefix(host, ".")
	if host == "*" {
		return nil
	}
	if _, err := netip.ParseAddr(name); err == nil && name == host {
		return nil
	}
	u, err := url.Parse("http://" + name + "/")
	if err != nil || name == "" || u.Hostname() != name || u.Host != name || strings.ContainsAny(name, "*%_ ") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("fetch: %q is neither a host, nor .suffix, nor *", host)
	}
	return nil
}

// canonical is the form in which hosts are compared: lower case, no final dot.
func canonical(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// host reports whether a host may be asked.
func (a allowList) host(name string) bool {
	return a.any || a.exact[name] || slices.ContainsFunc(a.suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}

// parse reads an address and holds it to the rules.
func (c *Client) parse(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, reason.Errorf(reason.FetchURLNotAllowed, "an address of %d bytes, at most %d are taken", len(raw), maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, reason.Errorf(reason.FetchURLNotAllowed, "%.200q is not an address", raw)
	}
	if err := c.mayAsk(u); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// mayAsk holds an address to the rules about scheme, host and port.
func (c *Client) mayAsk(u *url.URL) error {
	refuse := func(why string) error {
		return reason.Errorf(reason.FetchURLNotAllowed, "%.200q: %s", u.Redacted(), why)
	}
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("only http and https are asked")
	case u.User != nil || u.Opaque != "":
		return refuse("it names a user, or no host")
	case port == "" && u.Scheme == "http":
		port = "80"
	case port == "":
		port = "443"
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || !slices.Contains(c.allow.ports, uint16(number)) {
		return refuse("the port is not allowed")
	}
	host := canonical(u.Hostname())
	if also := c.also.Load(); host == "" || !c.allow.host(host) && (also == nil || !(*also)[host]) {
		return refuse("the host is not allowed")
	}
	return nil
}

// checkRedirect holds the target of a redirect to the rules of addresses. Requests
// with a body are not sent anywhere else, and nothing that began with https goes
// on without.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return reason.Errorf(reason.FetchRefused, "%s: redirected more than %d times", first.URL, maxRedirects)
	case first.Method != http.MethodGet:
		return reason.Errorf(reason.FetchRefused, "%s: a responder may not redirect", first.URL)
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return reason.Errorf(reason.FetchURLNotAllowed, "%s: redirected from https to %.200q", first.URL, req.URL.Redacted())
	}
	return c.mayAsk(req.URL)
}

// checkAddress refuses to connect to addresses that are not public. It is called
// with the very address, after the name was looked up.
func (c *Client) checkAddress(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return reason.Errorf(reason.FetchAddressNotAllowed, "%q is not an address", address)
	}
	if !c.opts.AllowPrivate && !public(ap.Addr()) {
		return reason.Errorf(reason.FetchAddressNotAllowed, "%s is not a public address", ap.Addr())
	}
	return nil
}

// public reports whether an address is one of the public Internet (RFC 6890 and
// the registries of special-purpose addresses); of IPv6 only 2000::/3 is assigned to
// it. Forms of IPv6 that carry an IPv4 address are refused, whatever they carry: a
// translator would lead inside.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !assigned().Contains(a) {
		return false
	}
	return !slices.ContainsFunc(reserved(), func(p netip.Prefix) bool { return p.Contains(a) })
}

func assigned() netip.Prefix { return netip.MustParsePrefix("2000::/3") }

// reserved are the prefixes that package netip does not know as special.
func reserved() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT, RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),    // RFC 6890
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
		netip.MustParsePrefix("2001::/23"),       // Teredo and other protocols
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4
		netip.MustParsePrefix("3fff::/20"),       // documentation
	}
}
