package agent

import (
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/qualified"
	"propusk/pki/reason"
	"propusk/pki/verdict"
	"propusk/server/signrequest"
)

// candidate is a certificate on a token.
type candidate struct {
	id     string // of the token and the certificate, for addresses
	device device
	cert   *gostx509.Certificate // nil if it cannot be read
	why    reason.Code           // why it cannot be used; empty: it can
	twin   bool                  // another token has the same name
}

// inventory is what is connected, as a person is shown it.
type inventory struct {
	devices    []device
	candidates []candidate // those that can be used first
	troubles   []trouble
	// accreditation is reason.AccreditationUnknown when nobody knows which CAs are
	// accredited, so that certificates are not judged by it.
	accreditation reason.Code
}

// look lists the certificates that are connected and judges each. Nothing is asked for:
// certificates are public objects.
func (c *call) look() inventory {
	over, stop := c.agent.shelf.timer()
	defer stop()
	inv := inventory{}
	inv.devices, inv.troubles = c.agent.shelf.devices(over)
	list, known := c.agent.lists[c.gateway.URL].current(c.r.Context())
	if !known {
		inv.accreditation = reason.AccreditationUnknown
	}
	now := c.agent.now()
	contents := contentsOf(inv.devices, over)
	twins := namesakes(inv.devices)
	for i, d := range inv.devices {
		if contents[i].err != nil {
			inv.troubles = append(inv.troubles, trouble{deviceName(d), reason.Of(contents[i].err)})
		}
		for _, der := range contents[i].certificates {
			one := newCandidate(d, der)
			one.twin = twins[deviceName(d)]
			if one.why == "" {
				one.why = judge(one.cert, c.request.Kinds, list, now)
			}
			if one.why == "" && c.marked(c.keyless, one.id) {
				one.why = reason.AgentKeyMissing
			}
			inv.candidates = append(inv.candidates, one)
		}
	}
	slices.SortStableFunc(inv.candidates, func(a, b candidate) int {
		return cmp.Compare(min(len(a.why), 1), min(len(b.why), 1))
	})
	return inv
}

// contents are the certificates on a token.
type contents struct {
	certificates [][]byte
	err          error
}

// contentsOf reads the certificates of all tokens at once, until the time is over. A
// token that two libraries reach is read through the second only if the first sees no
// certificate on it: libraries do not see each other's containers.
func contentsOf(devices []device, over <-chan struct{}) []contents {
	all := make([]contents, len(devices))
	full := make(map[string]bool) // serial numbers
	for _, again := range []bool{false, true} {
		answers := make([]chan contents, len(devices))
		for i, d := range devices {
			if d.again != again || again && full[d.Serial()] {
				continue
			}
			answers[i] = make(chan contents, 1) // so that who is late has where to put it
			go func() {
				ders, err := certificatesOn(d)
				answers[i] <- contents{ders, err}
			}()
		}
		for i, answer := range answers {
			if answer == nil {
				continue
			}
			all[i] = await(answer, over)
			if len(all[i].certificates) > 0 {
				full[devices[i].Serial()] = true
			}
		}
	}
	return all
}

// await waits for an answer, and prefers it to the end of the time.
func await(answer <-chan contents, over <-chan struct{}) contents {
	select {
	case got := <-answer:
		return got
	default:
	}
	select {
	case got := <-answer:
		return got
	case <-over:
		return contents{err: reason.New(reason.TokenTimeout, errors.New("the token has not answered yet"))}
	}
}

// namesakes are the names that several tokens have.
func namesakes(devices []device) map[string]bool {
	several := make(map[string]bool)
	for _, d := range devices {
		if d.again {
			continue
		}
		_, met := several[deviceName(d)]
		several[deviceName(d)] = met
	}
	return several
}

// certificatesOn reads the certificates of a token, without a PIN.
func certificatesOn(d device) (ders [][]byte, err error) {
	session, err := d.Public()
	if err != nil {
		return nil, err
	}
	ders, err = session.Certificates()
	if closed := session.Close(); err == nil {
		err = closed
	}
	return ders, err
}

func newCandidate(d device, der []byte) candidate {
	one := candidate{device: d}
	cert, err := gostx509.Parse(der)
	if err != nil {
		one.why = reason.Of(err)
		return one
	}
	sum := cert.SHA256()
	one.cert, one.id = cert, d.id+"-"+hex.EncodeToString(sum[:16])
	return one
}

// judge says why a certificate cannot be used to answer a request; empty if nothing is
// known against it. Revocation is the gateway's to judge, which does it again anyway. A
// nil list of authorities judges none.
func judge(cert *gostx509.Certificate, kinds []person.Kind, list *accredited, at time.Time) reason.Code {
	if err := cms.Suitable(cert, at); err != nil {
		return reason.Of(err)
	}
	who, err := cert.Identity()
	switch {
	case err != nil:
		return reason.Of(err)
	case cert.IsCA || who.Kind == person.Authority:
		return reason.CertIsCA
	}
	// First, who the CA is: rules about its name say less.
	if code := list.judge(cert); code != "" {
		return code
	}
	for _, check := range qualified.Check(cert, nil, at) {
		if check.Status == verdict.Failed {
			return check.Reason
		}
	}
	if len(kinds) > 0 && !slices.Contains(kinds, who.Kind) {
		return reason.WrongHolderKind
	}
	return ""
}

// CertificateView is a certificate as a page shows it. It is on the machine of its owner.
type CertificateView struct {
	ID           string
	Holder       string
	Organization string
	Kind         Text
	Issuer       string
	From, Until  string
	Token        string
	Why          *Advice // nil: it can be used
}

// view describes the certificate for a page.
func (one candidate) view() CertificateView {
	v := CertificateView{ID: one.id, Token: deviceName(one.device)}
	if one.twin {
		v.Token += ", № " + shown(one.device.Serial())
	}
	if one.why != "" {
		a := adviceFor(one.why)
		v.Why = &a
	}
	if one.cert == nil {
		v.Holder = "—"
		return v
	}
	v.From, v.Until = day(one.cert.NotBefore), day(one.cert.NotAfter)
	v.Issuer, v.Holder = shown(commonName(one.cert.Issuer)), shown(commonName(one.cert.Subject))
	if who, err := one.cert.Identity(); err == nil {
		v.Kind.RU, v.Kind.EN = who.Kind.Text()
		v.Organization = shown(who.Organization.Reveal())
		if name := who.Name.Reveal(); name != "" {
			v.Holder = shown(name)
		}
	}
	return v
}

// commonName returns the last one in a name.
func commonName(n gostx509.Name) string {
	for _, attribute := range slices.Backward(n) {
		if attribute.Type.Equal(gostx509.OIDCommonName) {
			return attribute.Text
		}
	}
	return "—"
}

// deviceName is how a person knows a token: what is printed on it, and its name.
func deviceName(d device) string {
	model, label := modelName(d), shown(d.Label())
	if label == "" {
		return model
	}
	return model + " «" + label + "»"
}

// maxShown is the longest text that a page takes from a token, in characters.
const maxShown = 200

// shown is what a page shows of a text that a token or a certificate came with, which
// anybody may have written: one line, and what is not seen as it is stands out.
func shown(s string) string {
	const instead = '\uFFFD'
	var b strings.Builder
	n := 0
	for _, c := range s {
		if n++; n > maxShown {
			return b.String() + "…"
		}
		if c != ' ' && !signrequest.OneLine(string(c)) {
			c = instead
		}
		b.WriteRune(c)
	}
	return b.String()
}

// day formats a date for a page, in Moscow time: the law counts days by it.
func day(t time.Time) string {
	return t.In(time.FixedZone("МСК", 3*60*60)).Format("02.01.2006")
}
