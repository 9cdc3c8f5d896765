// Package admin answers operators and their tools on the loopback listener:
// whether the process lives, whether it may be given traffic, and how it does.
package admin

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/certs"
	"propusk/certs/refresh"
	"propusk/pki/reason"
	"propusk/server/engine"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/trust"
)

// Admin answers health questions. Trust, Metrics and Now must be set. It is safe for
// concurrent use.
type Admin struct {
	// Trust returns the snapshot in force, and an error while nobody may be let
	// in by it.
	Trust func() (*certs.Snapshot, error)
	// StateError says why fetched data would not survive a restart; nil means that
	// nothing is kept.
	StateError func() error
	// Strangers are CAs that are not known; nil means that none is recorded.
	Strangers *trust.Strangers
	// Engine verifies signatures; nil is this program.
	Engine *engine.Keeper
	// LostKeys names the tokens and keys of the gateway that could not be reached when
	// they were last needed; nil means that there are none in tokens.
	LostKeys func() []string
	// Refresher fetches trust data; nil means that nothing is fetched.
	Refresher *refresh.Refresher
	// Metrics serves the metrics.
	Metrics http.Handler
	// Now returns the time.
	Now func() time.Time
}

// Ready is the answer of /readyz.
type Ready struct {
	Ready bool        `json:"ready"`
	Code  reason.Code `json:"code,omitempty"`
	Trust Trust       `json:"trust"`
	// Engine is what verifies signatures, and how it does.
	Engine engine.Status `json:"engine"`
	// LostKeys names the tokens with keys of the gateway, and the keys in them, that
	// could not be reached when they were last needed. They do not make the gateway
	// unready: it finds them again when somebody needs them.
	LostKeys []string `json:"lost_keys,omitempty"`
}

// Trust describes the snapshot in force.
type Trust struct {
	ID string `json:"id,omitempty"`
	// ListVersion and ListDate are those of the list of accredited CAs.
	ListVersion int        `json:"list_version,omitempty"`
	ListDate    *time.Time `json:"list_date,omitempty"`
	// ListAgeSeconds is how old the list is by its own date; negative if it is dated
	// in the future.
	ListAgeSeconds int64 `json:"list_age_seconds,omitempty"`
	// AgeSeconds is how long ago the snapshot was loaded.
	AgeSeconds int64 `json:"age_seconds"`
	// QuarantinedCRLs is how many revocation lists were set aside.
	QuarantinedCRLs int `json:"quarantined_crls"`
	// StaleCRLs is how many revocation lists are past their nextUpdate.
	StaleCRLs int `json:"stale_crls"`
	// OrphanCAs is how many CA certificates of the list lead to no pinned root.
	OrphanCAs int `json:"orphan_cas"`
	// UnknownCAs is how many CAs are not known whose certificates were shown.
	UnknownCAs int `json:"unknown_cas"`
	// CRLs is how many revocation lists are good, OldestCRL when the oldest of them
	// was issued, and NextCRL when the first of them is due.
	CRLs      int        `json:"crls"`
	OldestCRL *time.Time `json:"oldest_crl,omitempty"`
	NextCRL   *time.Time `json:"next_crl,omitempty"`
	// Refresh is about fetching; absent if nothing is fetched.
	Refresh *Refresh `json:"refresh,omitempty"`
	// StateCode says why fetched data would not survive a restart; absent if they
	// would.
	StateCode reason.Code `json:"state_code,omitempty"`
}

// Refresh is how fetching goes.
type Refresh struct {
	Ended *time.Time `json:"ended,omitempty"` // the last pass
	Next  time.Time  `json:"next"`            // when something is due
	Lists int        `json:"lists"`           // that are fetched
	// Failing is how many of them no address gave the last time.
	Failing int `json:"failing"`
}

// Routes adds /healthz, /readyz, /trust, /engine and /metrics, for requests that name the
// loopback.
func (a Admin) Routes(r gin.IRouter) {
	r = r.Group("/", loopbackOnly)
	request.Get(r, "/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	request.Get(r, "/readyz", a.ready)
	request.Get(r, "/trust", a.trust)
	request.Get(r, "/engine", func(c *gin.Context) { c.JSON(http.StatusOK, a.Engine.Status()) })
	r.POST("/trust/refresh", a.refresh)
	request.Get(r, "/metrics", gin.WrapH(a.Metrics))
}

// loopbackOnly refuses requests for other hosts than the loopback. A page of the web
// can make its own name point at 127.0.0.1 and read what the browser of an operator
// then brings it (DNS rebinding), but the browser still sends that name.
func loopbackOnly(c *gin.Context) {
	u := url.URL{Host: c.Request.Host}
	name := u.Hostname()
	if ip, err := netip.ParseAddr(name); strings.EqualFold(name, "localhost") || err == nil && ip.IsLoopback() {
		return
	}
	e := request.From(c.Request.Context())
	e.Code = reason.PageNotFound
	problem.Write(c.Writer, problem.New(e.Code, "this listener answers to localhost and loopback addresses only", e.ID))
	c.Abort()
}

// ready answers 503 while trust data are absent or stale, or nobody may verify
// signatures, so that a balancer sends people elsewhere.
func (a Admin) ready(c *gin.Context) {
	snap, err := a.Trust()
	if err == nil {
		err = a.Engine.Ready()
	}
	out := Ready{Ready: err == nil, Trust: a.describe(snap, a.Now()), Engine: a.Engine.Status()}
	if a.LostKeys != nil {
		out.LostKeys = a.LostKeys()
	}
	status := http.StatusOK
	if err != nil {
		out.Code, status = reason.Of(err), http.StatusServiceUnavailable
		request.From(c.Request.Context()).Code = out.Code
	}
	c.JSON(status, out)
}
