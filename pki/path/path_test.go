package path

import (
	"encoding/asn1"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

var now = time.Date(2026, 7, 23, 12, 0, 0, 0, time.UTC)

// maker makes certificates of an invented country. One key serves all that need
// no key of their own: keys are what takes time.
type maker struct {
	t    testing.TB
	keys map[string]*gost3410.PrivateKey
}

func newMaker(t testing.TB) *maker { return &maker{t, make(map[string]*gost3410.PrivateKey)} }

func (m *maker) key(name string) *gost3410.PrivateKey {
	if m.keys[name] == nil {
		key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
		if err != nil {
			m.t.Fatal(err)
		}
		m.keys[name] = key
	}
	return m.keys[name]
}

// cert makes a certificate: its name, whose key it holds, and who issued it with
// which key. A nil issuer makes it self-signed.
func (m *maker) cert(name, key string, issuer *gostx509.Certificate, issuerKey string, changes ...func(*gostx509.Template)) *gostx509.Certificate {
	m.t.Helper()
	template := gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCountry, Text: "RU"}, {Type: gostx509.OIDCommonName, Text: name}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, MaxPathLen: -1, KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
	}
	for _, change := range changes {
		change(&template)
	}
	der, err := gostx509.Create(nil, template, issuer, m.key(key).Public(), m.key(issuerKey))
	if err != nil {
		m.t.Fatal(err)
	}
	c, err := gostx509.Parse(der)
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

func user(t *gostx509.Template) { t.IsCA, t.KeyUsage = false, gostx509.KeyUsageDigitalSignature }

func pathLen(n int) func(*gostx509.Template) {
	return func(t *gostx509.Template) { t.MaxPathLen = n }
}

func dates(from, to time.Duration) func(*gostx509.Template) {
	return func(t *gostx509.Template) { t.NotBefore, t.NotAfter = now.Add(from), now.Add(to) }
}

func extra(id asn1.ObjectIdentifier, critical bool, value string) func(*gostx509.Template) {
	return func(t *gostx509.Template) {
		t.Extra = append(t.Extra, gostx509.Extension{ID: id, Critical: critical, Value: []byte(value)})
	}
}

// chain is the simple case: a root, a CA under it, a user.
func (m *maker) chain(root, ca, leaf []func(*gostx509.Template)) (r, i, l *gostx509.Certificate) {
	r = m.cert("Корень", "root", nil, "root", root...)
	i = m.cert("УЦ", "ca", r, "root", ca...)
	l = m.cert("Вымышленный Иван", "user", i, "ca", append([]func(*gostx509.Template){user}, leaf...)...)
	return r, i, l
}

type with = []func(*gostx509.Template)

// build is Build without revocation.
func build(leaf *gostx509.Certificate, roots, intermediates []*gostx509.Certificate, changes ...func(*Options)) Result {
	opts := Options{Roots: NewPool(roots...), Intermediates: NewPool(intermediates...), At: now, Revocation: InsecureSkipRevocation{}}
	for _, change := range changes {
		change(&opts)
	}
	return Build(leaf, opts)
}

func TestRules(t *testing.T) {
	m := newMaker(t)
	const day = 24 * time.Hour
	unknownID := asn1.ObjectIdentifier{1, 2, 643, 100, 999}
	for name, v := range map[string]struct {
		root, ca, leaf with
		want           reason.Code
	}{
		"good":                    {nil, nil, nil, ""},
		"leaf expired":            {nil, nil, with{dates(-2*day, -time.Second)}, reason.CertExpired},
		"leaf ends this second":   {nil, nil, with{dates(-2*day, 0)}, ""},
		"leaf begins this second": {nil, nil, with{dates(0, day)}, ""},
		"leaf not yet valid":      {nil, nil, with{dates(time.Second, day)}, reason.CertNotYetValid},
		"CA expired":              {nil, with{dates(-2*day, -day)}, nil, reason.CACertExpired},
		"CA not yet valid":        {nil, with{dates(day, 2*day)}, nil, reason.CACertNotYetValid},
		"root expired":            {with{dates(-2*day, -day)}, nil, nil, reason.CACertExpired},
		"leaf and CA expired":     {nil, with{dates(-2*day, -day)}, with{dates(-2*day, -day)}, reason.CertExpired},
		"CA is no CA":             {nil, with{func(t *gostx509.Template) { t.IsCA = false }}, nil, reason.IssuerNotCA},
		"root is no CA":           {with{func(t *gostx509.Template) { t.IsCA = false }}, nil, nil, reason.IssuerNotCA},
		"CA without keyCertSign":  {nil, with{func(t *gostx509.Template) { t.KeyUsage = gostx509.KeyUsageCRLSign }}, nil, reason.IssuerNotCA},
		"CA without key usage":    {nil, with{func(t *gostx509.Template) { t.KeyUsage = 0 }}, nil, ""},
		"root permits no CA":      {with{pathLen(0)}, nil, nil, reason.PathLengthExceeded},
		"root permits one CA":     {with{pathLen(1)}, nil, nil, ""},
		"CA permits no CA":        {nil, with{pathLen(0)}, nil, ""},
		"leaf is a CA":            {with{pathLen(1)}, with{pathLen(0)}, with{func(t *gostx509.Template) { t.IsCA = true }}, ""},
		"unknown extension":       {nil, nil, with{extra(unknownID, false, "\x05\x00")}, ""},
		"unknown critical":        {nil, nil, with{extra(unknownID, true, "\x05\x00")}, reason.CertCriticalExtension},
		"unknown critical of CA":  {nil, with{extra(unknownID, true, "\x05\x00")}, nil, reason.CertCriticalExtension},
		"sign tools critical": {nil, with{func(t *gostx509.Template) {
			t.SubjectSignTool = "СКЗИ"
			t.Critical = with2(gostx509.OIDSubjectSignTool)
		}}, nil, ""},
		"policy mappings critical":     {nil, with{extra(oidPolicyMappings, true, "\x30\x00")}, nil, ""},
		"policy constraints critical":  {nil, with{extra(asn1.ObjectIdentifier{2, 5, 29, 36}, true, "\x30\x03\x80\x01\x00")}, nil, reason.CertCriticalExtension},
		"name constraints, good":       {with{constraint(0xA0, "RU")}, nil, nil, ""},
		"name constraints, other":      {with{constraint(0xA0, "BY")}, nil, nil, reason.NameNotPermitted},
		"name constraints of CA":       {nil, with{constraint(0xA0, "BY")}, nil, reason.NameNotPermitted},
		"name excluded":                {nil, with{constraint(0xA1, "RU")}, nil, reason.NameNotPermitted},
		"name excluded, other string":  {nil, with{excludedText("\x0C", "RU")}, nil, reason.NameNotPermitted},
		"name excluded, other case":    {nil, with{excludedText("\x13", "ru")}, nil, reason.NameNotPermitted},
		"name excluded, more spaces":   {nil, with{excludedText("\x13", " RU ")}, nil, reason.NameNotPermitted},
		"name excluded, not a string":  {nil, with{excludedText("\x0C", "\xff")}, nil, reason.NameNotPermitted},
		"other name excluded":          {nil, with{constraint(0xA1, "BY")}, nil, ""},
		"name constraints not read":    {nil, with{extra(oidNameConstraints, true, "\x05\x00")}, nil, reason.NameNotPermitted},
		"name constraints of the leaf": {nil, nil, with{extra(oidNameConstraints, true, "\x30\x00")}, ""},
		"subtree with minimum":         {nil, with{extra(oidNameConstraints, true, "\x30\x0a\xA0\x08\x30\x06\xA4\x02\x30\x00\x80\x00")}, nil, reason.NameNotPermitted},
		"e-mail constrained, has none": {nil, with{extra(oidNameConstraints, true, emailConstraint)}, nil, ""},
		"e-mail constrained, in SAN":   {nil, with{extra(oidNameConstraints, true, emailConstraint)}, with{func(t *gostx509.Template) { t.EmailAddresses = []string{"a@x"} }}, reason.NameNotPermitted},
		"e-mail constrained, subject": {nil, with{extra(oidNameConstraints, true, emailConstraint)}, with{func(t *gostx509.Template) {
			t.Subject = append(t.Subject, gostx509.Attribute{Type: gostx509.OIDEmail, Text: "a@x"})
		}}, reason.NameNotPermitted},
		"e-mail excluded": {nil, with{extra(oidNameConstraints, true, strings.Replace(emailConstraint, "\xA0", "\xA1", 1))}, with{func(t *gostx509.Template) { t.EmailAddresses = []string{"a@x"} }}, reason.NameNotPermitted},
	} {
		root, ca, leaf := m.chain(v.root, v.ca, v.leaf)
		r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{ca})
		if got := firstReason(r); got != v.want || (r.Status == verdict.Passed) != (v.want == "") {
			t.Errorf("%s: %v %q, want %q; %+v", name, r.Status, got, v.want, r.Checks)
		}
		if want := []*gostx509.Certificate{leaf, ca, root}; !slices.Equal(r.Chain, want) {
			t.Errorf("%s: chain of %d", name, len(r.Chain))
		}
	}
}

func with2(ids ...asn1.ObjectIdentifier) []asn1.ObjectIdentifier { return ids }

const emailConstraint = "\x30\x09\xA0\x07\x30\x05\x81\x03a@x"

// excludedText excludes directory names of a country that is written as a string of
// another type.
func excludedText(tag, country string) func(*gostx509.Template) {
	name := wrap("\x30", wrap("\x31", wrap("\x30", "\x06\x03\x55\x04\x06"+wrap(tag, country))))
	return extra(oidNameConstraints, true, wrap("\x30", wrap("\xA1", wrap("\x30", wrap("\xA4", name)))))
}

// wrap returns an element of fewer than 128 octets of content.
func wrap(tag, content string) string { return tag + string(rune(len(content))) + content }

// constraint constrains directory names to a country.
func constraint(tag byte, country string) func(*gostx509.Template) {
	name := "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02" + country
	tree := "\x30\x11\xA4\x0f" + name
	return extra(oidNameConstraints, true, "\x30\x15"+string([]byte{tag, 0x13})+tree)
}

// TestSelfIssued: certificates with which a CA changes its key do not count
// against the path length, and are exempt from name constraints.
func TestSelfIssued(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root", pathLen(1))
	old := m.cert("УЦ", "ca", root, "root", pathLen(0))
	rollover := m.cert("УЦ", "ca2", old, "ca")
	leaf := m.cert("Вымышленный Иван", "user", rollover, "ca2", user)
	r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{old, rollover})
	if r.Status != verdict.Passed || len(r.Chain) != 4 {
		t.Errorf("%+v", r)
	}
}

// TestCandidates: names and key identifiers that several certificates share.
func TestCandidates(t *testing.T) {
	m := newMaker(t)
	// Three roots with one name, as «Минцифры России» has.
	var roots []*gostx509.Certificate
	for _, key := range []string{"r1", "r2", "r3"} {
		roots = append(roots, m.cert("Корень", key, nil, key))
	}
	for i, key := range []string{"r1", "r2", "r3"} {
		leaf := m.cert("Вымышленный Иван", "user", roots[i], key, user)
		if r := build(leaf, roots, nil); r.Status != verdict.Passed || r.Chain[1] != roots[i] {
			t.Errorf("under root %d: %+v", i, r.Checks)
		}
		// The key identifier misleads: it is that of another root.
		misled := *leaf
		misled.AuthorityKeyID.KeyID = roots[(i+1)%3].SubjectKeyID
		if r := build(&misled, roots, nil); r.Status != verdict.Passed || r.Chain[1] != roots[i] {
			t.Errorf("under root %d, misled: %+v", i, r.Checks)
		}
	}

	// Four certificates of one CA key; only the last one is good.
	root := roots[0]
	expired := m.cert("УЦ", "ca", root, "r1", dates(-48*time.Hour, -24*time.Hour))
	noCA := m.cert("УЦ", "ca", root, "r1", func(t *gostx509.Template) { t.IsCA = false })
	stranger := m.cert("УЦ", "ca", m.cert("Чужой корень", "x", nil, "x"), "x")
	good := m.cert("УЦ", "ca", root, "r1")
	leaf := m.cert("Вымышленный Иван", "user", good, "ca", user)
	all := []*gostx509.Certificate{expired, noCA, stranger, good}
	for range all { // in any order
		all = slices.Concat(all[1:], all[:1])
		if r := build(leaf, roots, all); r.Status != verdict.Passed || r.Chain[1] != good {
			t.Errorf("four certificates of one key: %+v", r.Checks)
		}
	}
	if r := build(leaf, roots, []*gostx509.Certificate{stranger, expired, noCA}); firstReason(r) != reason.CACertExpired && firstReason(r) != reason.IssuerNotCA {
		t.Errorf("the good one is missing: %+v", r.Checks)
	}
	// The issuer comes with the message.
	if r := build(leaf, roots, nil, func(o *Options) { o.Extra = []*gostx509.Certificate{nil, stranger, good} }); r.Status != verdict.Passed {
		t.Errorf("extra certificates: %+v", r.Checks)
	}
}

// TestCross: a root that another root certified, by both ways.
func TestCross(t *testing.T) {
	m := newMaker(t)
	oldRoot, newRoot := m.cert("Старый корень", "old", nil, "old"), m.cert("Новый корень", "new", nil, "new")
	cross := m.cert("Новый корень", "new", oldRoot, "old")
	back := m.cert("Старый корень", "old", newRoot, "new")
	ca := m.cert("УЦ", "ca", newRoot, "new")
	leaf := m.cert("Вымышленный Иван", "user", ca, "ca", user)
	pool := []*gostx509.Certificate{ca, cross, back}
	if r := build(leaf, []*gostx509.Certificate{oldRoot}, pool); r.Status != verdict.Passed || len(r.Chain) != 4 {
		t.Errorf("to the old root: %+v", r)
	}
	if r := build(leaf, []*gostx509.Certificate{newRoot}, pool); r.Status != verdict.Passed || len(r.Chain) != 3 {
		t.Errorf("to the new root: %+v", r)
	}
	if r := build(leaf, nil, append(pool, oldRoot, newRoot)); firstReason(r) != reason.UnknownCA {
		t.Errorf("in a circle: %+v", r)
	}
	// A root that is pinned by its bytes is not any certificate of the same key.
	if r := build(leaf, []*gostx509.Certificate{m.cert("Новый корень", "new", nil, "new", pathLen(3))}, []*gostx509.Certificate{ca}); r.Status != verdict.Passed {
		t.Errorf("another pinned certificate of the root key: %+v", r)
	}
	if r := build(newRoot, []*gostx509.Certificate{m.cert("Новый корень", "new", nil, "new", pathLen(3))}, nil); r.Status == verdict.Passed && len(r.Chain) < 2 {
		t.Errorf("a twin of the root passed as the root: %+v", r)
	}
}

// TestGenerations: a CA with a key of 2012 signed with the digest of 1994. The
// mathematics is right, and the path is not.
func TestGenerations(t *testing.T) {
	m := newMaker(t)
	root, ca, _ := m.chain(nil, nil, nil)
	leaf := m.cert("Вымышленный Иван", "user", ca, "ca", user, func(t *gostx509.Template) {
		t.SignatureAlgorithm.Algorithm = sigalg.OIDGOST2001WithGOST94
	})
	if err := leaf.CheckSignature(ca.PublicKey); err != nil {
		t.Fatal(err)
	}
	if r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{ca}); firstReason(r) != reason.CertAlgorithm {
		t.Errorf("%+v", r)
	}
}

func TestAnchorAlone(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	r := build(root, []*gostx509.Certificate{root}, nil, func(o *Options) { o.Revocation = nil })
	if r.Status != verdict.Passed || len(r.Chain) != 1 {
		t.Errorf("a root: %+v", r)
	}
	if r := build(root, nil, []*gostx509.Certificate{root}); firstReason(r) != reason.UnknownCA {
		t.Errorf("a self-signed stranger: %+v", r)
	}
}

func TestBroken(t *testing.T) {
	m := newMaker(t)
	root, ca, leaf := m.chain(nil, nil, nil)
	forged := *leaf
	forged.Signature = slices.Clone(leaf.Signature)
	forged.Signature[3] ^= 1
	keyless := *ca
	keyless.PublicKey = nil
	twin := m.cert("УЦ", "other", root, "root")
	trusted, pool := []*gostx509.Certificate{root}, []*gostx509.Certificate{ca}
	for name, v := range map[string]struct {
		r    Result
		want reason.Code
	}{
		"forged":             {build(&forged, trusted, pool), reason.CertSignatureBad},
		"no CA":              {build(leaf, trusted, nil), reason.UnknownCA},
		"CA of another key":  {build(leaf, trusted, []*gostx509.Certificate{twin}), reason.UnknownCA},
		"key not understood": {build(leaf, trusted, []*gostx509.Certificate{&keyless}), reason.CertKeyUnsupported},
		"no roots":           {build(leaf, nil, pool), reason.UnknownCA},
		"nil pools":          {Build(leaf, Options{At: now}), reason.UnknownCA},
		"nil leaf":           {build(nil, trusted, pool), reason.InternalError},
		"no moment":          {build(leaf, trusted, pool, func(o *Options) { o.At = time.Time{} }), reason.InternalError},
		"too deep":           {build(leaf, trusted, pool, func(o *Options) { o.MaxDepth = 2 }), reason.ChainTooLong},
		"too much work":      {build(leaf, trusted, pool, func(o *Options) { o.MaxWork = 1 }), reason.ChainTooComplex},
	} {
		if v.r.Status != verdict.Failed || firstReason(v.r) != v.want {
			t.Errorf("%s: %v %q, want %q; %+v", name, v.r.Status, firstReason(v.r), v.want, v.r.Checks)
		}
	}
	if (Result{}).Status == verdict.Passed {
		t.Error("the zero Result passed")
	}
}

// TestNearest: the explanation is about the path that came nearest, and tells the
// dates besides.
func TestNearest(t *testing.T) {
	m := newMaker(t)
	root, ca, leaf := m.chain(nil, nil, with{dates(-48*time.Hour, -24*time.Hour)})
	r := build(leaf, nil, []*gostx509.Certificate{ca})
	if len(r.Chain) != 2 || len(r.Checks) != 2 || r.Checks[1].Reason != reason.CertExpired {
		t.Errorf("without the root: %+v", r)
	}
	if r := build(leaf, nil, []*gostx509.Certificate{ca}, func(o *Options) { o.InsecureSkipValidity = true }); len(r.Checks) != 1 {
		t.Errorf("without dates: %+v", r)
	}
	if r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{ca}, func(o *Options) { o.InsecureSkipValidity = true }); r.Status != verdict.Passed {
		t.Errorf("without dates, with the root: %+v", r)
	}
}

// TestBomb: certificates that certify each other make more paths than anybody can
// walk; the search ends all the same.
func TestBomb(t *testing.T) {
	m := newMaker(t)
	var bomb []*gostx509.Certificate
	names := []string{"А", "Б", "В", "Г", "Д", "Е", "Ж", "З"}
	for _, a := range names {
		for _, b := range names {
			if a != b {
				issuer := m.cert(b, b, nil, b)
				bomb = append(bomb, m.cert(a, a, issuer, b))
			}
		}
	}
	leaf := m.cert("Вымышленный Иван", "user", bomb[0], "А", user)
	r := build(leaf, nil, nil, func(o *Options) { o.Extra = bomb })
	if firstReason(r) != reason.ChainTooComplex {
		t.Errorf("%+v", r.Checks)
	}
}

// answers is a Revocation that gives one answer for each common name.
type answers map[string]verdict.Check

func (a answers) Revocation(cert, _ *gostx509.Certificate, _ time.Time) verdict.Check {
	return a[cert.Subject.Get(gostx509.OIDCommonName)]
}

func TestRevocation(t *testing.T) {
	m := newMaker(t)
	root, ca, leaf := m.chain(nil, nil, nil)
	leafName, caName := "Вымышленный Иван", "УЦ"
	good := verdict.Check{Status: verdict.Passed}
	check := func(s verdict.Status, code reason.Code) verdict.Check { return verdict.Check{Status: s, Reason: code} }
	for name, v := range map[string]struct {
		source Revocation
		status verdict.Status
		want   reason.Code
	}{
		"nobody to ask":      {nil, verdict.Indeterminate, reason.RevocationUnknown},
		"good":               {answers{leafName: good, caName: good}, verdict.Passed, ""},
		"leaf revoked":       {answers{leafName: check(verdict.Failed, reason.CertRevoked), caName: good}, verdict.Failed, reason.CertRevoked},
		"leaf on hold":       {answers{leafName: check(verdict.Failed, reason.CertOnHold), caName: good}, verdict.Failed, reason.CertOnHold},
		"CA revoked":         {answers{leafName: good, caName: check(verdict.Failed, reason.CertRevoked)}, verdict.Failed, reason.CACertRevoked},
		"CA on hold":         {answers{leafName: good, caName: check(verdict.Failed, reason.CertOnHold)}, verdict.Failed, reason.CACertRevoked},
		"leaf unknown":       {answers{leafName: check(verdict.Indeterminate, reason.RevocationStale), caName: good}, verdict.Indeterminate, reason.RevocationStale},
		"CA unknown":         {answers{leafName: good, caName: check(verdict.Indeterminate, reason.RevocationUnusable)}, verdict.Indeterminate, reason.RevocationUnusable},
		"both unknown":       {answers{leafName: check(verdict.Indeterminate, reason.RevocationStale), caName: check(verdict.Indeterminate, reason.RevocationUnknown)}, verdict.Indeterminate, reason.RevocationUnknown},
		"revoked under gap":  {answers{leafName: check(verdict.Failed, reason.CertRevoked), caName: check(verdict.Indeterminate, reason.RevocationUnknown)}, verdict.Failed, reason.CertRevoked},
		"zero answers":       {answers{}, verdict.Indeterminate, reason.RevocationUnknown},
		"passed for reasons": {answers{leafName: check(verdict.Passed, reason.CertRevoked), caName: good}, verdict.Indeterminate, reason.RevocationUnknown},
		"failed for none":    {answers{leafName: check(verdict.Failed, ""), caName: good}, verdict.Indeterminate, reason.RevocationUnknown},
	} {
		r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{ca}, func(o *Options) { o.Revocation = v.source })
		if r.Status != v.status || firstReason(r) != v.want || r.Checks[len(r.Checks)-1].Name != stepRevocation {
			t.Errorf("%s: %v %q, want %v %q; %+v", name, r.Status, firstReason(r), v.status, v.want, r.Checks)
		}
	}
	// Nobody is asked about a certificate that is no good otherwise.
	r := build(leaf, nil, []*gostx509.Certificate{ca}, func(o *Options) { o.Revocation = nil })
	if r.Status != verdict.Failed || slices.ContainsFunc(r.Checks, func(c verdict.Check) bool { return c.Name == stepRevocation }) {
		t.Errorf("%+v", r.Checks)
	}
}

// byIssuer answers by the issuer: a revoked certificate must not hide behind a
// second path about which nothing is known.
type byIssuer map[*gostx509.Certificate]verdict.Check

func (b byIssuer) Revocation(cert, issuer *gostx509.Certificate, _ time.Time) verdict.Check {
	if c, ok := b[issuer]; ok && !cert.IsCA {
		return c
	}
	return verdict.Check{Status: verdict.Passed}
}

func TestRevokedOnOnePath(t *testing.T) {
	m := newMaker(t)
	root := m.cert("Корень", "root", nil, "root")
	first, second := m.cert("УЦ", "ca", root, "root"), m.cert("УЦ", "ca", root, "root")
	leaf := m.cert("Вымышленный Иван", "user", first, "ca", user)
	gone := verdict.Check{Status: verdict.Failed, Reason: reason.CertRevoked}
	unsure := verdict.Check{Reason: reason.RevocationUnknown}
	for _, source := range []byIssuer{{first: gone, second: unsure}, {first: unsure, second: gone}} {
		r := build(leaf, []*gostx509.Certificate{root}, []*gostx509.Certificate{first, second}, func(o *Options) { o.Revocation = source })
		if firstReason(r) != reason.CertRevoked {
			t.Errorf("%+v", r.Checks)
		}
	}
}

func TestPool(t *testing.T) {
	m := newMaker(t)
	root, ca, leaf := m.chain(nil, nil, nil)
	var p Pool
	p.Add(root, nil, ca, root)
	again, err := gostx509.Parse(ca.Raw)
	if err != nil {
		t.Fatal(err)
	}
	p.Add(again)
	if p.Len() != 2 || !slices.Equal(p.Certificates(), []*gostx509.Certificate{root, ca}) {
		t.Errorf("%d certificates", p.Len())
	}
	if !p.Contains(again) || p.Contains(leaf) || p.Contains(nil) {
		t.Error("Contains is wrong")
	}
	var none *Pool
	if none.Len() != 0 || none.Contains(root) || none.Certificates() != nil {
		t.Error("a nil Pool holds something")
	}
}

// TestConcurrent builds from several goroutines; the race detector watches.
func TestConcurrent(t *testing.T) {
	m := newMaker(t)
	root, ca, leaf := m.chain(nil, nil, nil)
	opts := Options{Roots: NewPool(root), Intermediates: NewPool(ca), At: now, Revocation: InsecureSkipRevocation{}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if r := Build(leaf, opts); r.Status != verdict.Passed {
					t.Errorf("%+v", r.Checks)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzConstraints: name constraints that are refused give nothing, and no name
// that is looked at under them is too much for the comparison.
func FuzzConstraints(f *testing.F) {
	country := wrap("\x30", wrap("\x31", "\x30\x09\x06\x03\x55\x04\x06\x13\x02RU"))
	for _, seed := range []string{
		"\x30\x00", "\x05\x00", emailConstraint,
		wrap("\x30", wrap("\xA0", wrap("\x30", wrap("\xA4", country)))),
		wrap("\x30", wrap("\xA1", wrap("\x30", wrap("\xA4", country)))),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		n, err := parseConstraints(value)
		if err != nil {
			if n.permitted != nil || n.excluded != nil {
				t.Fatalf("%x: refused, yet returned %v", value, n)
			}
			return
		}
		for _, s := range slices.Concat(n.permitted, n.excluded) {
			// The base itself begins with all the parts of the base.
			if s.tag == tagDirectory && (!within(s.name, s.name) || outside(s.name, s.name) == nil) {
				t.Fatalf("%x: a name is outside itself", value)
			}
		}
		if len(n.excluded) > 0 && n.checkName(n.excluded[0]) == nil {
			t.Fatalf("%x: an excluded name passed", value)
		}
	})
}
