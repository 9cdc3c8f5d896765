// Package check is the environment check page: what a person's computer, browser, token
// and certificate can do, found out by trying it and never by the name that the browser
// gives itself.
//
// A check is a run. It goes through the seven conditions of the cabinet's check page in
// their order (steps.go), collects facts about each (facts.go), and says by the rows of
// one table (rows.go) what is wrong, why, and what to do. It works without scripts, step
// by step through links; a script does the same by itself and sees a little more. The
// page is on the check host, over plain HTTP, and on the public host.
package check

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/gost/gosttls"
	"propusk/server/page"
	"propusk/server/signin"
	"propusk/server/trust"
)

// Options is what a Check needs.
type Options struct {
	// PublicURL, SignInURL and CheckURL are the hosts; CheckURL may be empty.
	PublicURL, SignInURL, CheckURL string
	// AgentPorts are the ports of agents on 127.0.0.1.
	AgentPorts []int
	// Methods are the ways to sign in.
	Methods []page.Method
	// Trust hands out the trust data.
	Trust trust.Guard
	// Judge judges certificates.
	Judge *signin.SignIn
	// Pages writes pages.
	Pages *page.Book
	// Runs is how many runs are kept at once.
	Runs int
	// Now returns the time.
	Now func() time.Time
}

// Check answers on the check host, the public host and the sign-in host. It is safe for
// concurrent use. Make it with New.
type Check struct{ opts Options }

// New returns a Check.
func New(o Options) (*Check, error) { return &Check{opts: o}, nil }

// Routes adds the routes of a host with the page, whose URL is given: the check host or
// the public host.
func (c *Check) Routes(r gin.IRouter, host string) {}

// SignInRoutes adds the routes of the sign-in host.
func (c *Check) SignInRoutes(r gin.IRouter) {}

// Handshake notes a TLS handshake that failed, by the listener of host: "public" or
// "signin". It is for [gosttls.Listener.HandshakeDone].
func (c *Check) Handshake(host string, st gosttls.ConnectionState, err error) {}

// Report is what a check has found, for support.
type Report struct {
	// Code names it: "7K3F-9QX2-M4TD".
	Code string
	// At is when it was last added to.
	At time.Time
	// Text tells it in Russian, without personal data, one finding a line.
	Text string
	// Certificate is the certificate of the person that was checked, DER; nil if there
	// was none. Keys are never in it.
	Certificate []byte
}

// Report returns what was found under a code, and false if there is no such code, or no
// more.
func (c *Check) Report(ctx context.Context, code string) (Report, bool) { return Report{}, false }
