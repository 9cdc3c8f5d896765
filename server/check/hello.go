package check

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"propusk/gost/gosttls"
	"propusk/server/request"
)

// helloOf says what the connection of a request, and its header, tell about the browser.
func helloOf(r *http.Request) *Hello {
	c := request.ConnectionFrom(r.Context())
	h := &Hello{Kind: c.Kind, Version: c.Version, Suite: c.Suite, Proxy: proxied(r)}
	if st, ok := gosttls.FromContext(r.Context()); ok {
		h.Offered, h.Draft, h.Grease = st.OfferedGOST(), draft(st.Offered), grease(st)
	}
	h.Hints = r.Header.Get("Sec-Ch-Ua") != ""
	return h
}

// proxied reports whether a proxy between the browser and this server has named itself.
func proxied(r *http.Request) bool {
	return r.Header.Get("Via") != "" || r.Header.Get("Proxy-Connection") != ""
}

// draft reports whether one of the numbers was offered that suites had before RFC 9189:
// those of old CryptoPro CSP and ViPNet CSP.
func draft(offered []uint16) bool {
	return slices.Contains(offered, 0xff85) || slices.Contains(offered, 0x0081)
}

// grease reports whether a hello has values that mean nothing, as Chromium and all that is
// made of it send (RFC 8701, Section 2).
func grease(st gosttls.ConnectionState) bool {
	for _, list := range [][]uint16{st.Offered, st.OfferedGroups, st.OfferedVersions, st.OfferedSchemes} {
		if slices.ContainsFunc(list, func(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }) {
			return true
		}
	}
	return false
}

// why says how a handshake failed.
func why(st gosttls.ConnectionState, err error) string {
	protocol, isProtocol := errors.AsType[*gosttls.ProtocolError](err)
	alert, told := told(err)
	switch {
	case errors.Is(err, gosttls.ErrGOSTProbe):
		return WhyProbe
	case errors.Is(err, gosttls.ErrNotTLS):
		return WhyNotTLS
	case errors.Is(err, gosttls.ErrTooManyHandshakes), errors.Is(err, gosttls.ErrPanic):
		return WhyOther
	case newest(st) != 0 && newest(st) < tls.VersionTLS12:
		return WhyOldVersion
	case told && slices.Contains(distrust(), alert):
		return WhyDistrust
	case isProtocol && protocol.Alert == alertDecryptError:
		return WhyKey
	case isProtocol && protocol.Alert == gosttls.AlertUnsupportedCertificate:
		return WhyOldKey
	case errors.Is(err, gosttls.ErrNoSharedSuite), !st.GOST && !told && st.Offered != nil && !isTimeout(err) && !isGone(err):
		return WhyNoSuite
	case st.Version != 0 || st.Offered != nil:
		return WhyBroken
	default:
		return WhyOther
	}
}

// Alerts by which clients and this server say what is wrong with a certificate or its key,
// RFC 8446, Section 6.2.
const alertDecryptError = gosttls.Alert(51)

// distrust are the alerts of a client that does not trust the certificate of the server.
func distrust() []gosttls.Alert {
	return []gosttls.Alert{gosttls.AlertBadCertificate, gosttls.AlertCertificateUnknown, gosttls.AlertUnknownCA, gosttls.AlertCertificateExpired}
}

// told returns the alert by which the client ended the handshake, of either stack.
func told(err error) (gosttls.Alert, bool) {
	if remote, ok := errors.AsType[*gosttls.RemoteError](err); ok {
		return remote.Alert, true
	}
	remote, ok := errors.AsType[*net.OpError](err)
	if !ok || remote.Op != "remote error" {
		return 0, false
	}
	// crypto/tls does not export its alerts, but their texts.
	for _, a := range distrust() {
		if tls.AlertError(a).Error() == remote.Err.Error() {
			return a, true
		}
	}
	return gosttls.AlertHandshakeFailure, true
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// isGone reports whether the client closed the connection without a word.
func isGone(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// newest is the highest version that a hello offers; 0 without a hello.
func newest(st gosttls.ConnectionState) uint16 {
	highest := st.OfferedVersion
	for _, v := range st.OfferedVersions {
		if v <= tls.VersionTLS13 { // or it is a value of GREASE
			highest = max(highest, v)
		}
	}
	return highest
}

// Limits of what is remembered about handshakes that failed.
const (
	maxNotes    = 4096
	maxNotesOne = 32 // of one address
	noteLife    = 15 * time.Minute
)

// note is a handshake that failed.
type note struct {
	at   time.Time
	from netip.Prefix
	what Refused
}

// notes remember handshakes that failed, by the address that they came from, so that a
// person who saw no page at all can be told why. It is safe for concurrent use.
type notes struct {
	now func() time.Time

	mu  sync.Mutex
	all []note // the oldest first
}

// add remembers one, and forgets the oldest of the same address, or of all, when there is
// no room: one address must not push out what others came for.
func (n *notes) add(from netip.Prefix, what Refused) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	n.all = slices.DeleteFunc(n.all, func(o note) bool { return now.Sub(o.at) > noteLife })
	own := 0
	for _, o := range n.all {
		if o.from == from {
			own++
		}
	}
	switch {
	case own >= maxNotesOne:
		i := slices.IndexFunc(n.all, func(o note) bool { return o.from == from })
		n.all = slices.Delete(n.all, i, i+1)
	case len(n.all) >= maxNotes:
		n.all = slices.Delete(n.all, 0, 1)
	}
	n.all = append(n.all, note{now, from, what})
}

// since returns what failed from an address since a moment, each once.
func (n *notes) since(from netip.Prefix, at time.Time) []Refused {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []Refused
	for _, o := range n.all {
		if o.from == from && !o.at.Before(at) && !slices.Contains(found, o.what) {
			found = append(found, o.what)
		}
	}
	return found
}

// Handshake notes a TLS handshake that failed, by the listener of host: "public" or
// "signin". It is for [gosttls.Listener.HandshakeDone], and quick.
func (c *Check) Handshake(host string, st gosttls.ConnectionState, err error) {
	if err == nil || st.Remote == nil || !oneOf(host, hostPublic, hostSignIn) {
		return
	}
	what := Refused{Host: host, Why: why(st, err), Offered: st.OfferedGOST()}
	c.notes.add(request.Network(st.Remote.String()), what)
}
