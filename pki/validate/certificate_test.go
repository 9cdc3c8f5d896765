package validate

import (
	"slices"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/tsl"
	"propusk/pki/verdict"
)

// TestGood judges a good certificate and reads the holder out of the verdict.
func TestGood(t *testing.T) {
	c := country.New(t)
	for _, curve := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		h := c.Person(t, c.FNS, curve, country.Entrepreneur())
		for _, policy := range []Policy{QES(), SignIn(person.Entrepreneur), {}} {
			got := validator(c, policy).Certificate(h.Cert.Raw, nil, now)
			who, ok := got.Verdict.Identity()
			if !ok || who.Kind != person.Entrepreneur || who.INN.Reveal() != "500100732259" {
				t.Fatalf("%s, %q: %v %q: %+v", curve.Name(), policy.Name, got.Verdict.Status(), got.Verdict.Why(), got.Verdict.Checks())
			}
			if got.Qualified.Status() != verdict.Passed || !got.Anchored || len(got.Chain) != 3 || got.Policy != policy.Name {
				t.Errorf("%s: %+v", curve.Name(), got)
			}
		}
	}
}

// refusal is one thing that is wrong and what must come of it.
type refusal struct {
	name   string
	spoil  func(t *testing.T, c *country.Country, v *Validator, template *gostx509.Template) (issuer *country.Authority)
	status verdict.Status
	code   reason.Code
}

// TestRefusals spoils one thing at a time.
func TestRefusals(t *testing.T) {
	for _, r := range slices.Concat(trustRefusals(), holderRefusals()) {
		t.Run(r.name, func(t *testing.T) {
			c := country.New(t)
			v := validator(c, SignIn(person.Entrepreneur))
			template := country.Entrepreneur()
			issuer := r.spoil(t, c, &v, &template)
			if issuer == nil {
				issuer = c.FNS
			}
			h := c.Person(t, issuer, gost3410.TC26256A(), template)
			got := v.Certificate(h.Cert.Raw, [][]byte{issuer.Cert.Raw}, now)
			if got.Verdict.Status() != r.status || got.Verdict.Why() != r.code {
				t.Errorf("%v %q, want %v %q: %+v", got.Verdict.Status(), got.Verdict.Why(), r.status, r.code, got.Verdict.Checks())
			}
			if _, ok := got.Verdict.Identity(); ok {
				t.Error("the holder can be read out of the verdict")
			}
		})
	}
}

func trustRefusals() []refusal {
	type spoiler = func(*testing.T, *country.Country, *Validator, *gostx509.Template) *country.Authority
	with := func(f func(*country.Country, *Validator)) spoiler {
		return func(_ *testing.T, c *country.Country, v *Validator, _ *gostx509.Template) *country.Authority {
			f(c, v)
			return nil
		}
	}
	by := func(f func(*country.Country) *country.Authority) spoiler {
		return func(_ *testing.T, c *country.Country, _ *Validator, _ *gostx509.Template) *country.Authority {
			return f(c)
		}
	}
	return []refusal{
		{"zero trust", with(func(_ *country.Country, v *Validator) { v.Trust = Trust{} }), verdict.Indeterminate, reason.TrustNotConfigured},
		{"no roots", with(func(_ *country.Country, v *Validator) { v.Trust.Roots = nil }), verdict.Indeterminate, reason.TrustNotConfigured},
		{"no list", with(func(_ *country.Country, v *Validator) { v.Trust.Accredited = nil }), verdict.Indeterminate, reason.AccreditationUnknown},
		{"no revocation lists", with(func(_ *country.Country, v *Validator) { v.Trust.CRLs = nil }), verdict.Indeterminate, reason.RevocationUnknown},
		{"another root of the same name", func(t *testing.T, c *country.Country, v *Validator, _ *gostx509.Template) *country.Authority {
			other := newCountryNamedAlike(t)
			v.Trust.Roots = trust(other).Roots
			return nil
		}, verdict.Failed, reason.UnknownCA},
		{"self-signed", func(t *testing.T, c *country.Country, _ *Validator, _ *gostx509.Template) *country.Authority {
			return c.Authority(t, nil, "УЦ Самозваный Вымышленный", "1047707030513", "7707329152")
		}, verdict.Failed, reason.UnknownCA},
		{"accreditation lost", by(func(c *country.Country) *country.Authority { return c.Lost }), verdict.Failed, reason.CANotAccredited},
		{"CA not listed", by(func(c *country.Country) *country.Authority { return c.Stranger }), verdict.Failed, reason.CANotListed},
	}
}

// newCountryNamedAlike makes a country with the same names and other keys.
func newCountryNamedAlike(t *testing.T) *country.Country {
	t.Helper()
	c := country.New(t)
	other := country.New(t)
	other.Root = other.Authority(t, nil, "Головной УЦ Вымышленный", "1047702026701", "7710474375")
	if c.Root.Cert.Equal(other.Root.Cert) {
		t.Fatal("the same root")
	}
	return other
}

func holderRefusals() []refusal {
	template := func(f func(*gostx509.Template)) func(*testing.T, *country.Country, *Validator, *gostx509.Template) *country.Authority {
		return func(_ *testing.T, _ *country.Country, _ *Validator, t *gostx509.Template) *country.Authority {
			f(t)
			return nil
		}
	}
	return []refusal{
		{"expired", template(func(t *gostx509.Template) { t.NotAfter = now.Add(-time.Minute) }), verdict.Failed, reason.CertExpired},
		{"not yet valid", template(func(t *gostx509.Template) { t.NotBefore = now.Add(time.Minute) }), verdict.Failed, reason.CertNotYetValid},
		{"no policy class", template(func(t *gostx509.Template) { t.Policies = nil }), verdict.Failed, reason.NotQualified},
		{"key period over", template(func(t *gostx509.Template) { t.PrivateKeyUsage.NotAfter = now.Add(-time.Hour) }), verdict.Failed, reason.KeyPeriodOver},
		{"a natural person", template(func(t *gostx509.Template) { t.Subject = t.Subject[1:] }), verdict.Failed, reason.WrongHolderKind},
		{"an identifier with wrong digits", template(func(t *gostx509.Template) { t.Subject[0].Text = "304500116000158" }), verdict.Failed, reason.IdentifierBad},
		{"a CA", template(func(t *gostx509.Template) {
			t.IsCA, t.KeyUsage = true, gostx509.KeyUsageCertSign|gostx509.KeyUsageDigitalSignature
		}), verdict.Failed, reason.CertIsCA},
	}
}

// TestPinnedHolder: a certificate of a person among the roots, by mistake or by
// malice, has nobody who vouches for it: no CA, no accreditation, no revocation.
func TestPinnedHolder(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	for name, policy := range map[string]Policy{
		"QES": QES(), "sign-in": SignIn(person.Entrepreneur), "zero": {}, "CA": CA(),
		"unqualified": {AllowUnqualified: true}, "unaccredited": {AllowUnaccredited: true},
	} {
		v := validator(c, policy)
		v.Trust.Roots = path.NewPool(c.Root.Cert, h.Cert)
		got := v.Certificate(h.Cert.Raw, nil, now)
		if _, ok := got.Verdict.Identity(); ok || got.Verdict.Status() == verdict.Passed {
			t.Errorf("%s: passed: %+v", name, got.Verdict.Checks())
		}
		if got.Qualified.Status() == verdict.Passed {
			t.Errorf("%s: qualified", name)
		}
	}
}

// TestAuthorityIsNoHolder: whatever a policy leaves out, a CA signs in as nobody.
func TestAuthorityIsNoHolder(t *testing.T) {
	c := country.New(t)
	for name, cert := range map[string]*gostx509.Certificate{"a CA": c.FNS.Cert, "a root": c.Root.Cert} {
		v := validator(c, Policy{AllowUnqualified: true, AllowUnaccredited: true})
		got := v.Certificate(cert.Raw, nil, now)
		if got.Verdict.Status() != verdict.Failed || got.Verdict.Why() != reason.CertIsCA {
			t.Errorf("%s: %v %q", name, got.Verdict.Status(), got.Verdict.Why())
		}
	}
}

// TestStanding: in force, certainly not, and who knows.
func TestStanding(t *testing.T) {
	for _, one := range []struct {
		status tsl.Status
		want   verdict.Status
		code   reason.Code
	}{
		{tsl.Status{InForce: true, Known: true, Value: tsl.InForce}, verdict.Passed, ""},
		{tsl.Status{Known: true, Value: tsl.Suspended}, verdict.Failed, reason.CANotAccredited},
		{tsl.Status{Known: true}, verdict.Failed, reason.CANotAccredited},
		{tsl.Status{Value: "Реорганизована"}, verdict.Indeterminate, reason.CAStatusUnknown},
		{tsl.Status{InForce: true, Value: "Реорганизована"}, verdict.Indeterminate, reason.CAStatusUnknown},
		{tsl.Status{}, verdict.Failed, reason.CANotAccredited},
	} {
		if c := standing("x", "", one.status); c.Status != one.want || c.Reason != one.code {
			t.Errorf("%+v: %v %q", one.status, c.Status, c.Reason)
		}
	}
}

// TestSuccessor: powers pass to a CA that is accredited itself, and to no other.
func TestSuccessor(t *testing.T) {
	c := country.New(t)
	v := validator(c, QES())
	heir, ok := v.Trust.Accredited.CAOf(c.Heir.Cert)
	if !ok || heir.SuccessorOGRN == "" {
		t.Fatal("the country has no CA with a successor")
	}
	if got := v.alive(heir, now); got.Status != verdict.Passed {
		t.Errorf("now: %+v", got)
	}
	if got := v.alive(heir, now.AddDate(-10, 0, 0)); got.Reason != reason.CANotAccredited {
		t.Errorf("before either was accredited: %+v", got)
	}
}

// TestOtherCertificateOfTheIssuer: what counts is whether the list knows the key and
// the name that signed, not which certificate of them the path happens to use.
func TestOtherCertificateOfTheIssuer(t *testing.T) {
	c := country.New(t)
	v := validator(c, QES())
	leaf := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur()).Cert
	renewed := func(key *gost3410.PrivateKey) *gostx509.Certificate {
		return c.Issue(t, gostx509.Template{
			Subject: c.FNS.Cert.Subject, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
			IsCA: true, MaxPathLen: 0, KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
		}, c.Root, key)
	}
	for _, test := range []struct {
		name   string
		issuer *gostx509.Certificate
		code   reason.Code
	}{
		{"the same key", renewed(c.FNS.Key), ""},
		{"another key under the same name", renewed(c.Stranger.Key), reason.CANotListed},
		{"another CA", c.Lost.Cert, reason.CANotAccredited},
	} {
		var b verdict.Builder
		b.Add(v.checkAccreditation(leaf, []*gostx509.Certificate{leaf, test.issuer, c.Root.Cert}, now)...)
		if got := b.Done(person.Identity{}); got.Why() != test.code {
			t.Errorf("%s: %q, want %q", test.name, got.Why(), test.code)
		}
	}
}

// TestIssuedBeforeTheEnd judges certificates of CAs that lost accreditation: they
// died with it, unless the powers were transferred.
func TestIssuedBeforeTheEnd(t *testing.T) {
	c := country.New(t)
	v := validator(c, Policy{AllowUnqualified: true})
	before := time.Date(2026, 2, 28, 20, 59, 59, 0, time.UTC) // one second before midnight in Moscow
	after := before.Add(time.Second)
	for _, one := range []struct {
		name   string
		issuer *country.Authority
		issued time.Time
		status verdict.Status
		code   reason.Code
	}{
		{"died with the accreditation", c.Lost, before, verdict.Failed, reason.CANotAccredited},
		{"powers transferred", c.Heir, before, verdict.Passed, ""},
		{"issued after the end", c.Heir, after, verdict.Failed, reason.CANotAccredited},
	} {
		template := country.Entrepreneur()
		template.NotBefore = one.issued
		h := c.Person(t, one.issuer, gost3410.TC26256A(), template)
		got := v.Certificate(h.Cert.Raw, nil, now).Verdict
		if got.Status() != one.status || got.Why() != one.code {
			t.Errorf("%s: %v %q, want %v %q: %+v", one.name, got.Status(), got.Why(), one.status, one.code, got.Checks())
		}
	}
}

// TestRevoked judges a revoked certificate, and the moments around revocation
// data.
func TestRevoked(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	good := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	c.Publish(t, c.FNS, h.Cert)
	v := validator(c, QES())
	wantWhy(t, "revoked", v.Certificate(h.Cert.Raw, nil, now), verdict.Failed, reason.CertRevoked)
	wantWhy(t, "not revoked", v.Certificate(good.Cert.Raw, nil, now), verdict.Passed, "")
	stale := now.Add(25 * time.Hour)
	wantWhy(t, "stale list", v.Certificate(good.Cert.Raw, nil, stale), verdict.Indeterminate, reason.RevocationStale)
	v.Policy.Revocation.Grace = 2 * time.Hour
	wantWhy(t, "stale list within the grace", v.Certificate(good.Cert.Raw, nil, stale), verdict.Passed, "")
	v.Policy.InsecureSkipRevocation = true
	wantWhy(t, "revocation not asked", v.Certificate(h.Cert.Raw, nil, now), verdict.Passed, "")
}

// TestRevokedCA judges a certificate whose CA was revoked by the root.
func TestRevokedCA(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	c.Publish(t, c.Root, c.FNS.Cert)
	wantWhy(t, "revoked CA", validator(c, QES()).Certificate(h.Cert.Raw, nil, now), verdict.Failed, reason.CACertRevoked)
}

func wantWhy(t *testing.T, name string, got Certificate, status verdict.Status, code reason.Code) {
	t.Helper()
	if got.Verdict.Status() != status || got.Verdict.Why() != code {
		t.Errorf("%s: %v %q, want %v %q: %+v", name, got.Verdict.Status(), got.Verdict.Why(), status, code, got.Verdict.Checks())
	}
}

// TestZeroGrantsNothing judges a good certificate by a zero Validator and at no
// moment.
func TestZeroGrantsNothing(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	for name, got := range map[string]Certificate{
		"zero":         {},
		"zero trust":   Validator{}.Certificate(h.Cert.Raw, nil, now),
		"no moment":    validator(c, QES()).Certificate(h.Cert.Raw, nil, time.Time{}),
		"no bytes":     validator(c, QES()).Certificate(nil, nil, now),
		"not a cert":   validator(c, QES()).Certificate([]byte{0x30, 0}, nil, now),
		"all disabled": Validator{Policy: Policy{AllowUnqualified: true, AllowUnaccredited: true, InsecureSkipRevocation: true, InsecureSkipValidity: true}}.Certificate(h.Cert.Raw, nil, now),
	} {
		if got.Verdict.Status() == verdict.Passed {
			t.Errorf("%s: passed", name)
		}
		if who, ok := got.Verdict.Identity(); ok || who != (person.Identity{}) {
			t.Errorf("%s: an identity", name)
		}
	}
}

// TestAuthorities judges certificates of CAs and of the root.
func TestAuthorities(t *testing.T) {
	c := country.New(t)
	v := validator(c, CA())
	wantWhy(t, "CA", v.Certificate(c.FNS.Cert.Raw, nil, now), verdict.Passed, "")
	wantWhy(t, "root", v.Certificate(c.Root.Cert.Raw, nil, now), verdict.Passed, "")
	wantWhy(t, "CA without accreditation", v.Certificate(c.Lost.Cert.Raw, nil, now), verdict.Failed, reason.CANotAccredited)
	wantWhy(t, "CA not listed", v.Certificate(c.Stranger.Cert.Raw, nil, now), verdict.Failed, reason.CANotListed)
	v.Policy.AllowUnaccredited = true
	wantWhy(t, "CA not listed, allowed", v.Certificate(c.Stranger.Cert.Raw, nil, now), verdict.Passed, "")
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	wantWhy(t, "person under the policy for CAs", v.Certificate(h.Cert.Raw, nil, now), verdict.Failed, reason.WrongHolderKind)
	v.Policy = QES()
	for _, a := range []*country.Authority{c.Root, c.FNS} {
		if got := v.Certificate(a.Cert.Raw, nil, now); got.Verdict.Status() != verdict.Failed {
			t.Errorf("a CA passes as a holder: %+v", got.Verdict.Checks())
		}
	}
}

// TestFlipCertificate spoils every byte of a certificate: it never passes.
func TestFlipCertificate(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validator(c, QES())
	raw := slices.Clone(h.Cert.Raw)
	for i := range raw {
		for _, mask := range []byte{1, 16, 128, 255} {
			raw[i] ^= mask
			if got := v.Certificate(raw, nil, now); got.Verdict.Status() == verdict.Passed {
				t.Errorf("byte %d ^ %02x: passed", i, mask)
			}
			raw[i] ^= mask
		}
	}
}
