package agent

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/qualified"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// candidate is a certificate on a token.
type candidate struct {
	id     string // of the token and the certificate, for addresses
	device device
	cert   *gostx509.Certificate // nil if it cannot be read
	why    reason.Code           // why it cannot be used; empty: it can
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
	inv := inventory{}
	inv.devices, inv.troubles = c.agent.shelf.devices()
	list, known := c.agent.lists[c.gateway.URL].current(c.r.Context())
	if !known {
		inv.accreditation = reason.AccreditationUnknown
	}
	now := c.agent.now()
	for _, d := range inv.devices {
		ders, err := certificatesOn(d)
		if err != nil {
			inv.troubles = append(inv.troubles, trouble{d.Model(), reason.Of(err)})
		}
		for _, der := range ders {
			one := newCandidate(d, der)
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
	if one.why != "" {
		a := adviceFor(one.why)
		v.Why = &a
	}
	if one.cert == nil {
		v.Holder = "—"
		return v
	}
	v.From, v.Until = day(one.cert.NotBefore), day(one.cert.NotAfter)
	v.Issuer, v.Holder = commonName(one.cert.Issuer), commonName(one.cert.Subject)
	if who, err := one.cert.Identity(); err == nil {
		v.Kind.RU, v.Kind.EN = who.Kind.Text()
		v.Organization = who.Organization.Reveal()
		if name := who.Name.Reveal(); name != "" {
			v.Holder = name
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
	model := d.About().RU
	if model == "" {
		model = strings.TrimSpace(d.Manufacturer() + " " + d.Model())
	}
	if d.Label() == "" {
		return model
	}
	return model + " «" + d.Label() + "»"
}

// day formats a date for a page, in Moscow time: the law counts days by it.
func day(t time.Time) string {
	return t.In(time.FixedZone("МСК", 3*60*60)).Format("02.01.2006")
}
