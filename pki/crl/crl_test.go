package crl

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

var now = time.Date(2026, 7, 23, 12, 0, 0, 0, time.UTC)

// authority is a CA of the tests.
type authority struct {
	key  crypto.Signer
	cert *gostx509.Certificate
}

func newAuthority(t testing.TB, name string, change func(*gostx509.Template)) authority {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	template := gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: name}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, MaxPathLen: -1, KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
	}
	if change != nil {
		change(&template)
	}
	return authority{key, parse(t, create(t, template, nil, key.Public(), key))}
}

func create(t testing.TB, template gostx509.Template, issuer *gostx509.Certificate, pub crypto.PublicKey, key crypto.Signer) []byte {
	t.Helper()
	der, err := gostx509.Create(nil, template, issuer, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parse(t testing.TB, der []byte) *gostx509.Certificate {
	t.Helper()
	c, err := gostx509.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// issue makes a certificate with a serial number under the CA.
func (a authority) issue(t testing.TB, serial []byte, change func(*gostx509.Template)) *gostx509.Certificate {
	t.Helper()
	template := gostx509.Template{
		Serial:    serial,
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Выдуманный Пётр"}},
		NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(0, 6, 0),
		KeyUsage: gostx509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(&template)
	}
	return parse(t, create(t, template, a.cert, a.key.Public(), a.key))
}

// template is a fresh list with one entry.
func template() Template {
	return Template{
		Number: 7, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour),
		Entries: []Entry{{Serial: []byte{0x11}, RevokedAt: now.Add(-48 * time.Hour), Reason: KeyCompromise}},
	}
}

func (a authority) list(t testing.TB, change func(*Template)) *List {
	t.Helper()
	l, err := Parse(a.der(t, change))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (a authority) der(t testing.TB, change func(*Template)) []byte {
	t.Helper()
	template := template()
	if change != nil {
		change(&template)
	}
	der, err := Create(nil, template, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestCreateParse(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	entries := []Entry{
		{Serial: []byte{1}, RevokedAt: now},
		{Serial: []byte{0, 0x80}, RevokedAt: now.AddDate(-70, 0, 0), Reason: Superseded},
		{Serial: bytes.Repeat([]byte{0x7F}, 20), RevokedAt: now.AddDate(40, 0, 0), Reason: AACompromise, InvalidSince: now.AddDate(-1, 0, 0)},
		{Serial: []byte{0x80}, RevokedAt: now, InvalidSince: now.Add(-time.Second)},
		{Serial: []byte{2}, RevokedAt: now, Reason: CertificateHold},
		{Serial: []byte{3}, RevokedAt: now, Reason: RemoveFromCRL},
	}
	l := ca.list(t, func(t *Template) { t.Entries = entries })
	if l.Len() != len(entries) || l.Version() != 2 || l.Unusable() != nil {
		t.Errorf("%d entries, version %d, %v", l.Len(), l.Version(), l.Unusable())
	}
	if !bytes.Equal(l.Number(), []byte{7}) || !bytes.Equal(l.AuthorityKeyID(), ca.cert.SubjectKeyID) || !bytes.Equal(l.RawIssuer(), ca.cert.RawSubject) {
		t.Errorf("number %x, key %x", l.Number(), l.AuthorityKeyID())
	}
	if !l.ThisUpdate().Equal(now.Add(-time.Hour)) || !l.NextUpdate().Equal(now.Add(time.Hour)) {
		t.Errorf("from %v to %v", l.ThisUpdate(), l.NextUpdate())
	}
	for _, want := range entries {
		got, ok := l.Lookup(want.Serial)
		if !ok || !bytes.Equal(got.Serial, want.Serial) || !got.RevokedAt.Equal(want.RevokedAt) ||
			got.Reason != want.Reason || !got.InvalidSince.Equal(want.InvalidSince) {
			t.Errorf("Lookup(%x) = %+v, %v; want %+v", want.Serial, got, ok, want)
		}
	}
	for _, absent := range [][]byte{nil, {}, {0}, {4}, {0, 1}, {0x81}, bytes.Repeat([]byte{0x7F}, 21)} {
		if e, ok := l.Lookup(absent); ok {
			t.Errorf("Lookup(%x) = %+v", absent, e)
		}
	}
	if err := l.CheckSignature(ca.cert); err != nil {
		t.Error(err)
	}
	if _, ok := new(List).Lookup([]byte{1}); ok {
		t.Error("the zero List has entries")
	}
}

// TestManyEntries compares the index with a map.
func TestManyEntries(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	r := rand.New(rand.NewPCG(1, 2))
	want := make(map[string]time.Time)
	var entries []Entry
	for range 5000 {
		serial := make([]byte, 1+r.IntN(3))
		for i := range serial {
			serial[i] = byte(1 + r.IntN(100))
		}
		e := Entry{Serial: serial, RevokedAt: now.Add(-time.Duration(r.IntN(1000)) * time.Hour), Reason: Reason(r.IntN(7))}
		if r.IntN(3) == 0 {
			e.InvalidSince = now
		}
		if at, twice := want[string(serial)]; !twice || e.RevokedAt.Before(at) {
			want[string(serial)] = e.RevokedAt
		}
		entries = append(entries, e)
	}
	l := ca.list(t, func(t *Template) { t.Entries = entries })
	if l.Len() != len(entries) {
		t.Errorf("%d entries, want %d", l.Len(), len(entries))
	}
	for serial, at := range want {
		if e, ok := l.Lookup([]byte(serial)); !ok || !e.RevokedAt.Equal(at) {
			t.Fatalf("Lookup(%x) = %+v, %v; want the earliest entry, of %v", serial, e, ok, at)
		}
	}
	for i := range 1 << 16 {
		serial := binary.BigEndian.AppendUint16(nil, uint16(i))
		if _, ok := l.Lookup(serial); ok != !want[string(serial)].IsZero() {
			t.Fatalf("Lookup(%x) = %v", serial, ok)
		}
	}
}

func TestCheckSignature(t *testing.T) {
	ca, twin, other := newAuthority(t, "УЦ", nil), newAuthority(t, "УЦ", nil), newAuthority(t, "Другой УЦ", nil)
	noKeyID := newAuthority(t, "УЦ", nil)
	noKeyID.cert.SubjectKeyID = nil
	forbidden := newAuthority(t, "УЦ", func(t *gostx509.Template) { t.KeyUsage = gostx509.KeyUsageCertSign })
	keyless := *ca.cert
	keyless.PublicKey = nil
	renamed := *ca.cert
	renamed.RawSubject = other.cert.RawSubject
	old := *ca.cert
	old.PublicKeyAlgorithm.Algorithm = sigalg.OIDKeyGOST2001
	l := ca.list(t, nil)
	for name, v := range map[string]struct {
		list   *List
		issuer *gostx509.Certificate
		want   reason.Code
	}{
		"right":                 {l, ca.cert, ""},
		"same name":             {l, twin.cert, reason.CRLIssuerMismatch},
		"same name, no key id":  {l, noKeyID.cert, reason.CRLSignatureBad},
		"other name":            {l, other.cert, reason.CRLIssuerMismatch},
		"same key, other name":  {l, &renamed, reason.CRLIssuerMismatch},
		"nobody":                {l, nil, reason.CRLIssuerMismatch},
		"may not sign lists":    {forbidden.list(t, nil), forbidden.cert, reason.CRLIssuerMismatch},
		"key of 2001, Streebog": {l, &old, reason.CRLUnsupported},
		"key of unknown kind":   {l, &keyless, reason.CRLUnsupported},
		"algorithm and RSA key": {l, func() *gostx509.Certificate { c := *ca.cert; c.PublicKey = struct{}{}; return &c }(), reason.CRLSignatureBad},
	} {
		err := v.list.CheckSignature(v.issuer)
		if v.want == "" && err != nil || v.want != "" && reason.Of(err) != v.want {
			t.Errorf("%s: %v, want %q", name, err, v.want)
		}
	}
}

// TestFlip changes one bit of every byte of a list: then nothing is good.
func TestFlip(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	cert := ca.issue(t, []byte{0x22}, nil)
	der := ca.der(t, nil)
	good, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if c := (Checker{Set: NewSet(good)}).Revocation(cert, ca.cert, now); c.Status != verdict.Passed {
		t.Fatalf("the intact list: %+v", c)
	}
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 1
		l, err := Parse(bad)
		if err != nil {
			if l != nil || reason.Of(err) == reason.InternalError {
				t.Fatalf("byte %d: %v, %v", i, l, err)
			}
			continue
		}
		if c := (Checker{Set: NewSet(l)}).Revocation(cert, ca.cert, now); c.Status != verdict.Indeterminate {
			t.Errorf("byte %d: %+v", i, c)
		}
	}
	for n := range der {
		if l, err := Parse(der[:n]); err == nil || l != nil {
			t.Errorf("the first %d bytes were accepted", n)
		}
	}
	if _, err := Parse(append(bytes.Clone(der), 0)); reason.Of(err) != reason.CRLMalformed {
		t.Errorf("a byte after the list: %v", err)
	}
}

// extension makes an extension of a list with the value in hexadecimal digits.
func extension(id string, critical bool, value string) gostx509.Extension {
	var e gostx509.Extension
	for _, n := range strings.Split(id, ".") {
		arc := 0
		for _, d := range n {
			arc = arc*10 + int(d-'0')
		}
		e.ID = append(e.ID, arc)
	}
	e.Critical, e.Value = critical, []byte(value)
	return e
}

// points is an issuingDistributionPoint with what is inside it.
func point(inside string) gostx509.Extension {
	return extension("2.5.29.28", true, "\x30"+string(rune(len(inside)))+inside)
}

const (
	pointURL  = "http://ca.example/1.crl"
	namedURL  = "\xa0\x1b\xa0\x19\x86\x17" + pointURL
	userOnly  = "\x81\x01\xff"
	caOnly    = "\x82\x01\xff"
	someCause = "\x83\x02\x05\x20"
	indirect  = "\x84\x01\xff"
	attrOnly  = "\x85\x01\xff"
)

// TestRevocation asks a Checker about one certificate under lists of every sort.
func TestRevocation(t *testing.T) {
	ca, twin := newAuthority(t, "УЦ", nil), newAuthority(t, "УЦ", nil)
	plain := ca.issue(t, []byte{0x22}, nil)
	bad := ca.issue(t, []byte{0x11}, nil)
	pointed := ca.issue(t, []byte{0x22}, func(t *gostx509.Template) { t.CRLDistributionPoints = []string{"http://x.example/", pointURL} })
	sub := ca.issue(t, []byte{0x22}, func(t *gostx509.Template) { t.IsCA, t.KeyUsage = true, gostx509.KeyUsageCertSign })
	expired := ca.issue(t, []byte{0x22}, func(t *gostx509.Template) { t.NotAfter = now.Add(-2 * time.Hour) })
	expiredBad := ca.issue(t, []byte{0x11}, func(t *gostx509.Template) { t.NotAfter = now.Add(-2 * time.Hour) })

	extra := func(e ...gostx509.Extension) func(*Template) { return func(t *Template) { t.Extra = e } }
	entry := func(e Entry) func(*Template) { return func(t *Template) { t.Entries = []Entry{e} } }
	dates := func(from, to time.Duration) func(*Template) {
		return func(t *Template) { t.ThisUpdate, t.NextUpdate = now.Add(from), now.Add(to) }
	}
	noNext := func(t *Template) { t.NextUpdate = time.Time{} }
	empty := func(t *Template) { t.Entries = nil }
	lists := func(changes ...func(*Template)) []*List {
		var all []*List
		for _, change := range changes {
			all = append(all, ca.list(t, change))
		}
		return all
	}
	for name, v := range map[string]struct {
		lists  []*List
		cert   *gostx509.Certificate
		policy Policy
		at     time.Duration
		want   reason.Code
	}{
		"good":                   {lists(nil), plain, Policy{}, 0, ""},
		"good, empty list":       {lists(empty), plain, Policy{}, 0, ""},
		"revoked":                {lists(nil), bad, Policy{}, 0, reason.CertRevoked},
		"revoked, no reason":     {lists(entry(Entry{Serial: bad.Serial, RevokedAt: now.Add(-time.Hour)})), bad, Policy{}, 0, reason.CertRevoked},
		"revoked this second":    {lists(entry(Entry{Serial: bad.Serial, RevokedAt: now})), bad, Policy{}, 0, reason.CertRevoked},
		"on hold":                {lists(entry(Entry{Serial: bad.Serial, RevokedAt: now, Reason: CertificateHold})), bad, Policy{}, 0, reason.CertOnHold},
		"removeFromCRL":          {lists(entry(Entry{Serial: bad.Serial, RevokedAt: now, Reason: RemoveFromCRL})), bad, Policy{}, 0, reason.CertRevoked},
		"revoked later":          {lists(nil), bad, Policy{Now: now}, -72 * time.Hour, ""},
		"revoked before":         {lists(nil), bad, Policy{Now: now}, -47 * time.Hour, reason.CertRevoked},
		"no lists":               {nil, plain, Policy{}, 0, reason.RevocationUnknown},
		"expired":                {lists(dates(-2*time.Hour, -time.Hour)), plain, Policy{}, 0, reason.RevocationStale},
		"expires this second":    {lists(dates(-2*time.Hour, 0)), plain, Policy{}, 0, reason.RevocationStale},
		"expired, revoked":       {lists(dates(-2*time.Hour, -time.Hour)), bad, Policy{}, 0, reason.RevocationStale},
		"expired, in grace":      {lists(dates(-2*time.Hour, -time.Hour)), plain, Policy{Grace: 2 * time.Hour}, 0, ""},
		"expired, after grace":   {lists(dates(-2*time.Hour, -time.Hour)), plain, Policy{Grace: time.Hour}, 0, reason.RevocationStale},
		"no nextUpdate":          {lists(noNext), plain, Policy{}, 0, reason.RevocationStale},
		"from the future":        {lists(dates(time.Hour, 2*time.Hour)), plain, Policy{}, 0, reason.RevocationStale},
		"clocks differ":          {lists(dates(time.Minute, 2*time.Hour)), plain, Policy{}, 0, ""},
		"moment in the past":     {lists(nil), plain, Policy{}, -2 * time.Hour, reason.RevocationStale},
		"moment, asked now":      {lists(nil), plain, Policy{Now: now}, -2 * time.Hour, ""},
		"certificate expired":    {lists(nil), expired, Policy{Now: now}, -3 * time.Hour, reason.RevocationUnknown},
		"expired but listed":     {lists(nil), expiredBad, Policy{Now: now}, -3 * time.Hour, reason.CertRevoked},
		"wrong issuer":           {[]*List{twin.list(t, empty)}, plain, Policy{}, 0, reason.RevocationUnusable},
		"wrong and right issuer": {[]*List{twin.list(t, empty), ca.list(t, nil)}, bad, Policy{}, 0, reason.CertRevoked},

		"newest says revoked":   {lists(empty, func(t *Template) { t.ThisUpdate = now.Add(-time.Minute) }), bad, Policy{}, 0, reason.CertRevoked},
		"newest says good":      {lists(nil, func(t *Template) { t.ThisUpdate, t.Entries = now.Add(-time.Minute), nil }), bad, Policy{}, 0, ""},
		"higher number decides": {lists(nil, func(t *Template) { t.Number, t.Entries = 8, nil }), bad, Policy{}, 0, ""},
		"longer number decides": {lists(nil, func(t *Template) { t.Number, t.Entries = 256, nil }), bad, Policy{}, 0, ""},
		"newest is unusable": {lists(nil, func(t *Template) {
			t.ThisUpdate, t.Extra = now.Add(-time.Minute), []gostx509.Extension{point(indirect)}
		}), bad, Policy{}, 0, reason.CertRevoked},

		"unknown extension":          {lists(extra(extension("1.2.3", false, "x"))), plain, Policy{}, 0, ""},
		"unknown critical extension": {lists(extra(extension("1.2.3", true, "x"))), plain, Policy{}, 0, reason.RevocationUnusable},
		"delta":                      {lists(extra(extension("2.5.29.27", true, "\x02\x01\x01"))), plain, Policy{}, 0, reason.RevocationUnknown},
		"delta, not critical":        {lists(extra(extension("2.5.29.27", false, "\x02\x01\x01"))), plain, Policy{}, 0, reason.RevocationUnknown},
		"freshest":                   {lists(extra(extension("2.5.29.46", false, "\x30\x00"))), plain, Policy{}, 0, ""},
		"indirect":                   {lists(extra(point(indirect))), plain, Policy{}, 0, ""},
		"some reasons":               {lists(extra(point(someCause))), plain, Policy{}, 0, reason.RevocationUnknown},
		"attribute certificates":     {lists(extra(point(attrOnly))), plain, Policy{}, 0, reason.RevocationUnknown},
		"relative name":              {lists(extra(point("\xa0\x04\xa1\x02\x31\x00"))), plain, Policy{}, 0, reason.RevocationUnknown},
		"name without a URL":         {lists(extra(point("\xa0\x06\xa0\x04\xa4\x02\x30\x00"))), plain, Policy{}, 0, reason.RevocationUnknown},
		"users, for a user":          {lists(extra(point(userOnly))), plain, Policy{}, 0, ""},
		"users, for a CA":            {lists(extra(point(userOnly))), sub, Policy{}, 0, reason.RevocationUnknown},
		"CAs, for a user":            {lists(extra(point(caOnly))), plain, Policy{}, 0, reason.RevocationUnknown},
		"CAs, for a CA":              {lists(extra(point(caOnly))), sub, Policy{}, 0, ""},
		"point of the certificate":   {lists(extra(point(namedURL))), pointed, Policy{}, 0, ""},
		"point of another":           {lists(extra(point(namedURL))), plain, Policy{}, 0, reason.RevocationUnknown},
	} {
		c := Checker{Set: NewSet(v.lists...), Policy: v.policy}.Revocation(v.cert, ca.cert, now.Add(v.at))
		status := verdict.Indeterminate
		switch v.want {
		case "":
			status = verdict.Passed
		case reason.CertRevoked, reason.CertOnHold:
			status = verdict.Failed
		}
		if c.Reason != v.want || c.Status != status || c.Name != "revocation" {
			t.Errorf("%s: %+v, want %v %q", name, c, status, v.want)
		}
	}
	for name, c := range map[string]verdict.Check{
		"nil set":   Checker{}.Revocation(plain, ca.cert, now),
		"no cert":   Checker{Set: NewSet()}.Revocation(nil, ca.cert, now),
		"no issuer": Checker{Set: NewSet(lists(nil)...)}.Revocation(plain, nil, now),
	} {
		if c.Status != verdict.Indeterminate || c.Reason != reason.RevocationUnknown {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestSetConcurrent asks from several goroutines; the race detector watches.
func TestSetConcurrent(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	cert := ca.issue(t, []byte{0x22}, nil)
	set := NewSet(ca.list(t, nil), ca.list(t, nil))
	if len(set.Lists()) != 2 {
		t.Errorf("%d lists", len(set.Lists()))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if c := (Checker{Set: set}).Revocation(cert, ca.cert, now); c.Status != verdict.Passed {
					t.Errorf("%+v", c)
				}
			}
		})
	}
	wg.Wait()
}

// TestRealLists reads the lists of the shared data and finds the issuer of each
// among the shared certificates. Two lists of RFC 9215 are signed on the curves of
// its examples, which are no curves for keys of people (1.2.643.2.2.35.0 and
// 1.2.643.7.1.2.1.2.0).
func TestRealLists(t *testing.T) {
	names, err := filepath.Glob(samples.Path(t, "data", "crl/*"))
	if err != nil {
		t.Fatal(err)
	}
	issuers := realIssuers(t)
	count := 0
	for _, name := range names {
		if strings.HasSuffix(name, ".pem") {
			continue
		}
		count++
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if block, _ := pem.Decode(data); block != nil {
			data = block.Bytes
		}
		l, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		signers := 0
		for _, c := range append(issuers, siberia(t, l)) {
			if l.CheckSignature(c) == nil {
				signers++
			}
		}
		base := filepath.Base(name)
		example := base == "rfc9215-crl-6ff9741bb081ba48.der" || base == "rfc9215-crl-ab13855e9bf74a2b.der"
		if (signers == 0) != example || l.Unusable() != nil {
			t.Errorf("%s: %d issuers, unusable %v", base, signers, l.Unusable())
		}
	}
	if count != 6 {
		t.Errorf("%d lists, want 6", count)
	}
}

func realIssuers(t *testing.T) []*gostx509.Certificate {
	names, err := filepath.Glob(samples.Path(t, "data", "ca_certs/other/*.der"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*gostx509.Certificate
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := gostx509.ParseAny(data); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// siberia stands for the certificate of УЦ Сибири, of which only the key is known.
func siberia(t *testing.T, l *List) *gostx509.Certificate {
	data, err := os.ReadFile(samples.Path(t, "data", "crl/udcs-siberia-issuer-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	info, err := spki.Parse(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &gostx509.Certificate{RawSubject: l.RawIssuer(), PublicKey: info.Key, PublicKeyAlgorithm: info.Algorithm}
}

// TestSiberia reads a list of a real CA: 104 entries, some with reasons.
func TestSiberia(t *testing.T) {
	data, err := os.ReadFile(samples.Path(t, "data", "crl/udcs-siberia-2012.crl"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if l.Len() != 104 || !bytes.Equal(l.Number(), []byte{0x09, 0xE0}) || !l.ThisUpdate().Equal(time.Date(2012, 12, 3, 23, 14, 42, 0, time.UTC)) {
		t.Errorf("%d entries, number %x, of %v", l.Len(), l.Number(), l.ThisUpdate())
	}
	e, ok := l.Lookup([]byte{0x21, 0xD1, 0x9C, 0x1E, 0, 0, 0, 0, 0x37, 0x09})
	if !ok || e.Reason != CertificateHold || !e.RevokedAt.Equal(time.Date(2011, 12, 6, 7, 59, 57, 0, time.UTC)) {
		t.Errorf("the last entry: %+v, %v", e, ok)
	}
	cert := &gostx509.Certificate{RawIssuer: l.RawIssuer(), Serial: []byte{1}, NotAfter: now}
	set := NewSet(l)
	issuer := siberia(t, l)
	if c := (Checker{Set: set}).Revocation(cert, issuer, time.Date(2012, 12, 4, 0, 0, 0, 0, time.UTC)); c.Status != verdict.Passed {
		t.Errorf("in its day: %+v", c)
	}
	if c := (Checker{Set: set}).Revocation(cert, issuer, now); c.Reason != reason.RevocationStale {
		t.Errorf("now: %+v", c)
	}
}

func TestReasonString(t *testing.T) {
	if KeyCompromise.String() != "keyCompromise" || Reason(7).String() != "reason 7" || Reason(99).String() != "reason 99" {
		t.Errorf("%v %v %v", KeyCompromise, Reason(7), Reason(99))
	}
}

func TestCreateRefuses(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	for name, serial := range map[string][]byte{"empty": nil, "long": make([]byte, maxSerial+1)} {
		if _, err := Create(nil, Template{ThisUpdate: now, Entries: []Entry{{Serial: serial, RevokedAt: now}}}, ca.cert, ca.key); err == nil {
			t.Errorf("%s serial number written", name)
		}
	}
	if _, err := Create(nil, Template{ThisUpdate: now}, ca.cert, unknownKey{}); err == nil {
		t.Error("signed with an unknown key")
	}
}

type unknownKey struct{ crypto.Signer }

func (unknownKey) Public() crypto.PublicKey { return struct{}{} }

var errEntropy = errors.New("no entropy")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errEntropy }

func TestCreateWithoutEntropy(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	if der, err := Create(brokenReader{}, template(), ca.cert, ca.key); !errors.Is(err, errEntropy) || der != nil {
		t.Errorf("%x, %v", der, err)
	}
}
