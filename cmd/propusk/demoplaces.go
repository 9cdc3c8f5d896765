package main

import (
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"propusk/certs/testpki"
	"propusk/server/config"
	"propusk/server/mail/mailbox"
)

// cabinetClient is the client_id of the demo cabinet.
const cabinetClient = "cabinet"

// demoReuse is how long the gateway of the demo does not ask a responder again.
const demoReuse = 10 * time.Second

// address is where to listen, by the distance from the base port.
func (o demoOptions) address(port int) string {
	return net.JoinHostPort(o.host, strconv.Itoa(o.portBase+port))
}

// name is how browsers on this machine reach the host.
func (o demoOptions) name() string {
	if ip, err := netip.ParseAddr(o.host); err == nil && ip.IsUnspecified() {
		return "localhost"
	}
	return o.host
}

// url is how browsers reach a port.
func (o demoOptions) url(scheme string, port int) string {
	return scheme + "://" + net.JoinHostPort(o.name(), strconv.Itoa(o.portBase+port))
}

// cabinetScheme is http on this machine, and https where others can listen in:
// the provider sends codes nowhere else (RFC 9700, Section 2.6).
func (o demoOptions) cabinetScheme() string {
	ip, err := netip.ParseAddr(o.name())
	if o.name() == "localhost" || (err == nil && ip.IsLoopback()) {
		return "http"
	}
	return "https"
}

// adminAddress is on the loopback: the listener has no authentication.
func (o demoOptions) adminAddress() string {
	host := "127.0.0.1"
	if ip, err := netip.ParseAddr(o.host); err == nil && ip.IsLoopback() {
		host = o.host
	}
	return net.JoinHostPort(host, strconv.Itoa(o.portBase+demoAdminPort))
}

// certificateHosts are the names in the server certificates.
func (o demoOptions) certificateHosts() []string {
	hosts := []string{o.name()}
	for _, h := range []string{"localhost", "127.0.0.1"} {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// urls are the addresses of the demo, as demo.json names them.
type urls struct {
	Check   string `json:"check"`
	Public  string `json:"public"`
	SignIn  string `json:"signin"`
	Cabinet string `json:"cabinet"`
	Agent   string `json:"agent"`
	Admin   string `json:"admin"`
	Mailbox string `json:"mailbox"`

	TSA  string `json:"tsa"`
	OCSP string `json:"ocsp"`
	TSL  string `json:"tsl"`
}

func (o demoOptions) urls() urls {
	return urls{
		Check:   o.url("http", demoCheckPort),
		Public:  o.url("https", demoPublicPort),
		SignIn:  o.url("https", demoSignInPort),
		Cabinet: o.url(o.cabinetScheme(), demoCabinetPort),
		Agent:   "http://" + o.agentAddress(),
		Admin:   "http://" + o.adminAddress(),
		Mailbox: "http://" + o.adminAddress() + mailbox.Path,

		TSA:  o.url("http", demoCheckPort) + testpki.TSAPath,
		OCSP: o.url("http", demoCheckPort) + testpki.OCSPPath,
		TSL:  o.url("http", demoCheckPort) + testpki.TSLPath,
	}
}

// gostConfig is the file that makes OpenSSL load gost-engine.
func (o demoOptions) gostConfig() string { return filepath.Join(o.dir, "gost.cnf") }

// config is the configuration of the gateway of the demo.
func (o demoOptions) config() config.Config {
	at, c := o.urls(), config.Default()
	file := func(name ...string) string { return filepath.Join(append([]string{o.dir}, name...)...) }
	tls := config.TLS{
		Certificate:     file("tls", "ecdsa.pem"),
		Key:             file("tls", "ecdsa.key"),
		GOSTCertificate: file("tls", "gost-256.pem"),
		GOSTKey:         file("tls", "gost-256.key"),
	}
	c.Public = config.Host{URL: at.Public, Listen: o.address(demoPublicPort), TLS: tls}
	c.SignIn.Host = config.Host{URL: at.SignIn, Listen: o.address(demoSignInPort), TLS: tls}
	c.Check.URL, c.Check.Listen = at.Check, o.address(demoCheckPort)
	c.Admin = config.Admin{Listen: o.adminAddress()}
	c.Trust.Dir, c.Trust.StateDir = file("trust"), file("state")
	// The gateway fetches the lists from itself. They never change unless somebody
	// replaces the files; the country is made anew when they are nearly due.
	c.Trust.MaxAge = testpki.Life
	c.Trust.Refresh.ListURLs = []string{at.TSL}
	c.Trust.Refresh.Ports = []int{o.portBase + demoCheckPort}
	c.Trust.Refresh.AllowPrivate = true // the country is on this machine
	// Whoever revokes a certificate here wants to see what happens.
	c.Revocation.Online, c.Revocation.Order, c.Revocation.RequireNonce = true, "ocsp-first", true
	c.Revocation.Reuse = demoReuse
	c.OIDC.SubjectSecret = file("subject.hex")
	c.OIDC.BackChannelCA = file("tls/ca.pem")
	c.Journal.Path = file("journal.db")
	c.SignIn.Methods = []string{config.MethodGOSTTLS, config.MethodAgent, config.MethodPlugin}
	c.Challenge.Name = "Пропуск (демо)"
	c.Challenge.Keys = []string{file("challenge.pem")}
	c.Challenge.AgentPorts = []int{o.portBase + demoAgentPort}
	c.OIDC.Clients = []config.Client{{
		ID:                     cabinetClient,
		Name:                   "Личный кабинет ИП (демо)",
		URL:                    at.Cabinet + "/",
		RedirectURIs:           []string{at.Cabinet + "/callback"},
		PostLogoutRedirectURIs: []string{at.Cabinet + "/"},
		BackChannelLogoutURI:   at.Cabinet + "/backchannel-logout",
	}}
	c.Cabinets = map[string]config.Cabinet{
		"ip": {Name: "Личный кабинет индивидуального предпринимателя (демо)", URL: at.Cabinet + "/"},
		"ul": {Name: "Личный кабинет юридического лица"},
		"fl": {Name: "Личный кабинет физического лица"},
	}
	o.keepAccounts(&c)
	if !o.verbose {
		c.Log.Level = "warn"
	}
	return c
}
