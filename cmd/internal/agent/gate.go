package agent

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"propusk/pki/reason"
)

// What every request must satisfy before a page of the agent looks at it:
//
//   - It came to 127.0.0.1, and the host that it names is exactly the address and port
//     that it came to: a name that an attacker points at 127.0.0.1 is not.
//   - It was sent by a process of the user that the agent runs as: on a shared machine
//     all users share 127.0.0.1.
//   - It is a navigation of a tab (Sec-Fetch-Mode, Sec-Fetch-Dest): no script, no frame,
//     no image, no guess of the browser where a person might go (Sec-Purpose). A browser
//     that does not tell is refused where a request would do something; the home page and
//     /status do nothing and say nothing about a person.
//   - No service worker stands between. A program that had the port before may have left
//     one in the browser: it would be given our pages (navigation preload), with the
//     phrase. Whoever signs begins by having the browser forget it (Clear-Site-Data).
//   - A form other than that of a gateway came from a page of the agent (Origin), and is
//     good once (visit.go).
//   - /environment is the exception: a script of a page of an enrolled gateway may read it,
//     and it says nothing about a person (environment.go).
//
// A gateway speaks through /sign only, with a request that it signed. Every page forbids
// frames, caches, and everything from outside, and lets forms go to the agent or, on the
// last page, to the gateway that asked.

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Handler returns the pages, for an http.Server that listens on 127.0.0.1.
func (a *Agent) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /status", a.status)
	mux.HandleFunc("GET "+environmentPath, a.environment)
	mux.HandleFunc("OPTIONS "+environmentPath, a.preflight)
	mux.HandleFunc("GET /sign", a.receive)
	mux.HandleFunc("POST /sign", a.receive)
	mux.HandleFunc("GET /visit/{visit}", a.visited((*call).choose))
	mux.HandleFunc("GET /visit/{visit}/pin", a.visited((*call).askPIN))
	mux.HandleFunc("POST /visit/{visit}/pin", a.visited((*call).takePIN))
	mux.HandleFunc("POST /visit/{visit}/cancel", a.visited((*call).cancel))
	mux.HandleFunc("GET /visit/{visit}/answer", a.visited((*call).giveAnswer))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header())
		if err := a.admit(r); err != nil {
			a.refuse(w, r, err, nil)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// protect sets the headers of every answer; a page replaces the policy by its own.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// admit returns why a request is not let in.
func (a *Agent) admit(r *http.Request) error {
	server, ok := localAddress(r)
	if !ok || server.Addr() != loopback || r.Host != server.String() {
		return reason.Errorf(reason.AgentHostWrong, "the request names another host than the agent's")
	}
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return reason.New(reason.AgentForeignUser, err)
	}
	switch same, err := a.sameUser(client, server); {
	case err != nil:
		return reason.New(reason.AgentForeignUser, err)
	case !same:
		return reason.Errorf(reason.AgentForeignUser, "the connection is of another user")
	}
	if r.URL.Path == environmentPath {
		return a.fromGateway(r)
	}
	if err := navigation(r); err != nil {
		return err
	}
	if r.Method == http.MethodPost && r.URL.Path != "/sign" {
		return ownForm(r)
	}
	return nil
}

// localAddress returns the address that the connection came to.
func localAddress(r *http.Request) (netip.AddrPort, bool) {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.AddrPort{}, false
	}
	parsed, err := netip.ParseAddrPort(at.String())
	return parsed, err == nil
}

// SameUser reports whether one end of a TCP connection on this machine belongs to a
// process of the user that this one runs as. An end that nobody has is nobody's.
func SameUser(end, other netip.AddrPort) (bool, error) { return sameUser(end, other) }

// navigation checks that a tab of a browser goes to the page: W3C Fetch Metadata.
func navigation(r *http.Request) error {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	for _, name := range []string{"Service-Worker", "Service-Worker-Navigation-Preload", "Sec-Purpose", "Purpose", "X-Moz"} {
		if len(r.Header.Values(name)) > 0 {
			return reason.Errorf(reason.AgentNotNavigation, "header %s", name)
		}
	}
	if mode == "navigate" && dest == "document" {
		return nil
	}
	if mode == "" && dest == "" && harmless(r) {
		return nil
	}
	return reason.Errorf(reason.AgentNotNavigation, "Sec-Fetch-Mode %.20q, Sec-Fetch-Dest %.20q", mode, dest)
}

// harmless reports whether a page does nothing and says nothing about anybody, so that
// programs may read it too.
func harmless(r *http.Request) bool {
	return r.Method == http.MethodGet && (r.URL.Path == "/" || r.URL.Path == "/status")
}

// ownForm checks that a form was sent by a page of the agent.
func ownForm(r *http.Request) error {
	if origin := r.Header.Values("Origin"); len(origin) != 1 || origin[0] != "http://"+r.Host {
		return reason.Errorf(reason.AgentOriginForeign, "the form has another origin")
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "same-origin" {
		return reason.Errorf(reason.AgentOriginForeign, "Sec-Fetch-Site %.20q", site)
	}
	return nil
}

// refuse shows why something did not work, and what to do. The call is nil when there
// is no visit to go back to.
func (a *Agent) refuse(w http.ResponseWriter, r *http.Request, err error, c *call) {
	code := reason.Of(err)
	if code == reason.InternalError {
		err = reason.New(code, err)
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // the rest of it is a secret
	a.log.LogAttrs(r.Context(), slog.LevelWarn, "refused",
		slog.String("page", clip(path)), slog.String("code", string(code)), slog.String("err", err.Error()))
	if c == nil {
		forgetOthers(w.Header())
	}
	a.failure(w, code, c)
}

// forgetOthers has the browser forget what another program left under our address:
// service workers above all. We keep nothing in a browser. W3C Clear Site Data, 3.1.
func forgetOthers(h http.Header) { h.Set("Clear-Site-Data", `"cache", "storage"`) }

// clip bounds what a stranger can write into the log.
func clip(s string) string { return s[:min(len(s), 20)] }
