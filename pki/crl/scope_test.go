package crl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// statusOf is the status that goes with a reason.
func statusOf(code reason.Code) verdict.Status {
	switch code {
	case "":
		return verdict.Passed
	case reason.CertRevoked, reason.CertOnHold:
		return verdict.Failed
	}
	return verdict.Indeterminate
}

// asked is one question to a Checker.
type asked struct {
	lists  []*List
	cert   *gostx509.Certificate
	policy Policy
	at     time.Duration
	want   reason.Code
	others int // length of Answer.Others
}

// whatever is a number of others that depends on the order of lists issued at once.
const whatever = -1

func ask(t *testing.T, ca authority, authorities func([]byte) []*gostx509.Certificate, all map[string]asked) {
	t.Helper()
	for name, v := range all {
		for range 2 { // the order of the lists means nothing
			a := Checker{Set: NewSet(v.lists...), Policy: v.policy, Authorities: authorities}.Answer(v.cert, ca.cert, now.Add(v.at))
			if a.Check.Reason != v.want || a.Check.Status != statusOf(v.want) || v.others != whatever && len(a.Others) != v.others {
				t.Errorf("%s: %+v, %d others; want %q, %d", name, a.Check, len(a.Others), v.want, v.others)
			}
			if (a.List == nil) != (a.Check.Status == verdict.Indeterminate) {
				t.Errorf("%s: rests on %v", name, a.List)
			}
			slices.Reverse(v.lists)
		}
	}
}

// TestDelta brings complete lists up to date: RFC 5280, 5.2.4.
func TestDelta(t *testing.T) {
	ca, twin := newAuthority(t, "УЦ", nil), newAuthority(t, "УЦ", nil)
	fine, held := ca.issue(t, []byte{0x22}, nil), ca.issue(t, []byte{0x33}, nil)
	old := ca.issue(t, []byte{0x22}, func(t *gostx509.Template) { t.NotAfter = now.Add(-time.Minute) })
	hold := Entry{Serial: held.Serial, RevokedAt: now.Add(-50 * time.Minute), Reason: CertificateHold}
	complete := func(change func(*Template)) *List {
		return ca.list(t, func(t *Template) {
			t.Entries = append(t.Entries, hold)
			if change != nil {
				change(t)
			}
		})
	}
	delta := func(of authority, change func(*Template), entries ...Entry) *List {
		return of.list(t, func(t *Template) {
			t.Number, t.Base, t.Entries = 9, 7, entries
			t.ThisUpdate, t.NextUpdate = now.Add(-10*time.Minute), now.Add(20*time.Minute)
			if change != nil {
				change(t)
			}
		})
	}
	keyless := func(l *List) *List { l.authorityKeyID = nil; return l }
	revoked := Entry{Serial: fine.Serial, RevokedAt: now.Add(-20 * time.Minute), Reason: KeyCompromise}
	lifted := Entry{Serial: held.Serial, RevokedAt: now.Add(-20 * time.Minute), Reason: RemoveFromCRL}
	stale := func(t *Template) { t.ThisUpdate, t.NextUpdate = now.Add(-3*time.Hour), now.Add(-time.Hour) }
	expired := func(t *Template) { t.ThisUpdate, t.NextUpdate = now.Add(-40*time.Minute), now.Add(-time.Minute) }
	longRevoked := Entry{Serial: fine.Serial, RevokedAt: now.Add(-45 * time.Minute), Reason: KeyCompromise}
	ask(t, ca, nil, map[string]asked{
		"nothing new":              {[]*List{complete(nil), delta(ca, nil)}, fine, Policy{}, 0, "", 1},
		"revoked since":            {[]*List{complete(nil), delta(ca, nil, revoked)}, fine, Policy{}, 0, reason.CertRevoked, 1},
		"revoked later":            {[]*List{complete(nil), delta(ca, nil, revoked)}, fine, Policy{Now: now}, -30 * time.Minute, "", 1},
		"still on hold":            {[]*List{complete(nil), delta(ca, nil)}, held, Policy{}, 0, reason.CertOnHold, 1},
		"hold lifted":              {[]*List{complete(nil), delta(ca, nil, lifted)}, held, Policy{}, 0, "", 1},
		"before it was lifted":     {[]*List{complete(nil), delta(ca, nil, lifted)}, held, Policy{Now: now}, -30 * time.Minute, reason.CertOnHold, 1},
		"before the hold":          {[]*List{complete(nil), delta(ca, nil, lifted)}, held, Policy{Now: now}, -55 * time.Minute, "", 1},
		"lifted and revoked":       {[]*List{complete(nil), delta(ca, nil, lifted, Entry{Serial: held.Serial, RevokedAt: now.Add(-15 * time.Minute)})}, held, Policy{}, 0, reason.CertRevoked, 1},
		"lifted, and no hold":      {[]*List{ca.list(t, nil), delta(ca, nil, Entry{Serial: []byte{0x11}, RevokedAt: now.Add(-20 * time.Minute), Reason: RemoveFromCRL})}, ca.issue(t, []byte{0x11}, nil), Policy{}, 0, reason.CertRevoked, 1},
		"lifted, and never there":  {[]*List{ca.list(t, nil), delta(ca, nil, lifted)}, held, Policy{}, 0, "", 1},
		"names no key":             {[]*List{complete(nil), keyless(delta(ca, nil, lifted))}, held, Policy{}, 0, reason.CertOnHold, 0},
		"base is newer":            {[]*List{complete(nil), delta(ca, func(t *Template) { t.Base = 8 }, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"delta is older":           {[]*List{complete(func(t *Template) { t.Number = 9 }), delta(ca, nil, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"base is older":            {[]*List{complete(func(t *Template) { t.Number = 8 }), delta(ca, nil, lifted)}, held, Policy{}, 0, "", 1},
		"complete has no number":   {[]*List{complete(func(t *Template) { t.Number = -1 }), delta(ca, nil, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"of another key":           {[]*List{complete(nil), delta(twin, nil, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"of another scope":         {[]*List{complete(nil), delta(ca, func(t *Template) { t.Scope.UserCerts = true }, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"unknown extension":        {[]*List{complete(nil), delta(ca, func(t *Template) { t.Extra = []gostx509.Extension{extension("1.2.3", true, "x")} }, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"delta is stale":           {[]*List{complete(nil), delta(ca, stale, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"revoked by a stale delta": {[]*List{complete(nil), delta(ca, expired, longRevoked)}, fine, Policy{}, 0, reason.CertRevoked, 1},
		"by a stale delta, later":  {[]*List{complete(nil), delta(ca, expired, longRevoked)}, fine, Policy{Now: now}, -50 * time.Minute, "", 1},
		"stale, then a newer one":  {[]*List{complete(nil), delta(ca, expired, longRevoked), delta(ca, func(t *Template) { t.Number = 10 })}, fine, Policy{}, 0, "", 1},
		"stale, after an older one": {[]*List{complete(nil), delta(ca, expired, longRevoked), delta(ca, func(t *Template) { t.Number, t.ThisUpdate = 8, now.Add(-50*time.Minute) })},
			fine, Policy{}, 0, reason.CertRevoked, 1},
		"revoked by a stale delta of another key":     {[]*List{complete(nil), delta(twin, expired, longRevoked)}, fine, Policy{}, 0, "", 0},
		"revoked in the future":                       {[]*List{complete(nil), delta(ca, func(t *Template) { t.ThisUpdate = now.Add(time.Hour) }, longRevoked)}, fine, Policy{}, 0, "", 0},
		"on hold, and by a stale delta to be revoked": {[]*List{complete(nil), delta(ca, expired, Entry{Serial: held.Serial, RevokedAt: now.Add(time.Hour)})}, held, Policy{}, 0, reason.CertOnHold, 0},
		"the newest of stale deltas counts": {[]*List{complete(nil), delta(ca, func(t *Template) { expired(t); t.Number = 10 }), delta(ca, func(t *Template) { expired(t); t.ThisUpdate = now.Add(-41 * time.Minute) }, longRevoked)},
			fine, Policy{}, 0, "", 0},
		"delta from the future":    {[]*List{complete(nil), delta(ca, func(t *Template) { t.ThisUpdate = now.Add(time.Hour) }, lifted)}, held, Policy{}, 0, reason.CertOnHold, 0},
		"complete is stale":        {[]*List{complete(stale), delta(ca, nil)}, fine, Policy{}, 0, "", 1},
		"both are stale":           {[]*List{complete(stale), delta(ca, stale)}, fine, Policy{}, 0, reason.RevocationStale, 0},
		"alone":                    {[]*List{delta(ca, nil)}, fine, Policy{}, 0, reason.RevocationUnknown, 0},
		"expired before the delta": {[]*List{complete(nil), delta(ca, func(t *Template) { t.ThisUpdate = now })}, old, Policy{Now: now}, -2 * time.Minute, reason.RevocationUnknown, 0},
		"newest delta": {[]*List{complete(nil), delta(ca, nil, lifted), delta(ca, func(t *Template) { t.Number, t.ThisUpdate = 10, now.Add(-time.Minute) })},
			held, Policy{}, 0, reason.CertOnHold, 1},
		"newer complete, older complete with a delta": {[]*List{complete(nil), delta(ca, nil, lifted), complete(func(t *Template) { t.Number, t.ThisUpdate, t.Entries = 10, now.Add(-time.Minute), nil })},
			fine, Policy{}, 0, "", 0},
	})
	l := delta(ca, func(t *Template) { t.Freshest = []string{pointURL} })
	if !l.Delta() || !bytes.Equal(l.BaseNumber(), []byte{7}) || !slices.Equal(l.FreshestCRL(), []string{pointURL}) || complete(nil).Delta() {
		t.Errorf("base %x, freshest %q", l.BaseNumber(), l.FreshestCRL())
	}
	fresh := ca.issue(t, []byte{1}, func(t *gostx509.Template) {
		t.Extra = []gostx509.Extension{extension("2.5.29.46", false, asn(0x30, asn(0x30, namedURL)))}
	})
	if got := FreshestCRL(fresh); !slices.Equal(got, []string{pointURL}) || FreshestCRL(fine) != nil {
		t.Errorf("%q", got)
	}
}

// TestPartitions puts answers together from lists about parts: RFC 5280, 6.3.3 (b),
// (d), (e), (l).
func TestPartitions(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	issue := func(serial byte, points ...string) *gostx509.Certificate {
		return ca.issue(t, []byte{serial}, func(t *gostx509.Template) {
			if len(points) > 0 {
				t.Extra = []gostx509.Extension{extension("2.5.29.31", false, asn(0x30, points...))}
			}
		})
	}
	plain, bad := issue(0x22), issue(0x11)
	part := func(scope Scope, entries ...Entry) *List {
		return ca.list(t, func(t *Template) { t.Scope, t.Entries = scope, entries })
	}
	compromised := Entry{Serial: bad.Serial, RevokedAt: now.Add(-time.Hour), Reason: KeyCompromise}
	later := Entry{Serial: bad.Serial, RevokedAt: now.Add(time.Hour), Reason: KeyCompromise}
	keys := Scope{Reasons: Reasons(KeyCompromise, CACompromise, AACompromise)}
	rest := Scope{Reasons: AllReasons &^ keys.Reasons}
	url := func(s Scope) Scope { s.URLs = []string{"http://b.example/", pointURL}; return s }
	relative := "\xa0\x0c\xa1\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01X"
	here := asn(0x30, namedURL)
	ask(t, ca, nil, map[string]asked{
		"all parts":               {[]*List{part(keys), part(rest)}, plain, Policy{}, 0, "", 1},
		"overlapping parts":       {[]*List{part(keys), part(rest), part(Scope{Reasons: Reasons(KeyCompromise, Superseded)})}, plain, Policy{}, 0, "", whatever},
		"one part":                {[]*List{part(keys)}, plain, Policy{}, 0, reason.RevocationUnknown, 0},
		"one part twice":          {[]*List{part(keys), part(keys)}, plain, Policy{}, 0, reason.RevocationUnknown, 0},
		"one part, revoked there": {[]*List{part(keys, compromised)}, bad, Policy{}, 0, reason.CertRevoked, 0},
		"revoked in one":          {[]*List{part(keys, compromised), part(Scope{Reasons: Reasons(Superseded)})}, bad, Policy{}, 0, reason.CertRevoked, whatever},
		"part and whole":          {[]*List{part(keys), ca.list(t, func(t *Template) { t.ThisUpdate = now.Add(-2 * time.Hour) })}, plain, Policy{}, 0, "", 1},
		"an older part is passed over": {[]*List{
			part(keys), ca.list(t, func(t *Template) {
				t.Scope, t.Entries, t.ThisUpdate = keys, []Entry{compromised}, now.Add(-2*time.Hour)
			}),
			ca.list(t, func(t *Template) { t.Scope, t.Entries, t.ThisUpdate = rest, nil, now.Add(-3*time.Hour) }),
		}, bad, Policy{}, 0, "", 1},
		"attributes":             {[]*List{part(Scope{AttributeCerts: true})}, plain, Policy{}, 0, reason.RevocationUnknown, 0},
		"named":                  {[]*List{part(url(Scope{}))}, issue(0x22, here), Policy{}, 0, "", 0},
		"named, in two parts":    {[]*List{part(url(keys)), part(url(rest))}, issue(0x22, here), Policy{}, 0, "", 1},
		"named otherwise":        {[]*List{part(Scope{URLs: []string{"http://b.example/"}})}, issue(0x22, here), Policy{}, 0, reason.RevocationUnknown, 0},
		"point for some reasons": {[]*List{part(url(Scope{}))}, issue(0x22, asn(0x30, namedURL, "\x81\x02\x06\x40")), Policy{}, 0, reason.RevocationUnknown, 0},
		"points for all reasons": {[]*List{part(url(Scope{}))}, issue(0x22, asn(0x30, namedURL, "\x81\x03\x07\x7f\x80")), Policy{}, 0, "", 0},
		"points of others":       {[]*List{part(url(Scope{}))}, issue(0x22, asn(0x30, namedURL, asn(0xA2, asn(0xA4, otherName)))), Policy{}, 0, reason.RevocationUnknown, 0},
		"point that names us":    {[]*List{part(url(Scope{}))}, issue(0x22, asn(0x30, namedURL, asn(0xA2, asn(0xA4, string(ca.cert.RawSubject))))), Policy{}, 0, "", 0},
		"same relative name":     {[]*List{ca.list(t, func(t *Template) { t.Extra = []gostx509.Extension{point(relative)} })}, issue(0x22, asn(0x30, relative)), Policy{}, 0, "", 0},
		"other relative name":    {[]*List{ca.list(t, func(t *Template) { t.Extra = []gostx509.Extension{point(relative)} })}, issue(0x22, asn(0x30, strings.Replace(relative, "X", "Y", 1))), Policy{}, 0, reason.RevocationUnknown, 0},
	})
	a := Checker{Set: NewSet(part(keys, later), part(rest))}.Answer(bad, ca.cert, now)
	if a.Check.Status != verdict.Passed || !a.Listed || a.Entry.Reason != KeyCompromise || a.Check.Detail == "" {
		t.Errorf("revoked later for one of the parts: %+v", a)
	}
	if got := keys.Reasons.String(); got != "keyCompromise, cACompromise, aACompromise" {
		t.Error(got)
	}
	if Reasons(Unspecified, RemoveFromCRL) != 0 || !AllReasons.Covers(keys.Reasons) || keys.Reasons.Covers(AllReasons) {
		t.Error("sets of reasons")
	}
	for _, s := range []Scope{keys, url(rest), {UserCerts: true}, {CACerts: true, Indirect: true}, {AttributeCerts: true}, {Names: []string{otherName}}} {
		if got := part(s).Scope(); !slices.Equal(got.URLs, s.URLs) || !slices.Equal(got.Names, s.Names) || got.Reasons != s.Reasons || got.UserCerts != s.UserCerts || got.CACerts != s.CACerts || got.Indirect != s.Indirect || got.AttributeCerts != s.AttributeCerts {
			t.Errorf("%+v, read back %+v", s, got)
		}
	}
	if _, err := Create(nil, Template{ThisUpdate: now, Scope: Scope{UserCerts: true, CACerts: true}}, ca.cert, ca.key); err == nil {
		t.Error("a scope that contradicts itself was written")
	}
}

// TestIndirect believes lists of others: RFC 5280, 5.2.5, 5.3.3, 6.3.3 (b)(1), (f).
func TestIndirect(t *testing.T) {
	ca, other, stranger := newAuthority(t, "УЦ", nil), newAuthority(t, "Издатель списков", nil), newAuthority(t, "Чужой", nil)
	issue := func(serial byte, issuers ...authority) *gostx509.Certificate {
		return ca.issue(t, []byte{serial}, func(t *gostx509.Template) {
			var points []string
			for _, a := range issuers {
				points = append(points, asn(0x30, asn(0xA2, asn(0xA4, string(a.cert.RawSubject)))))
			}
			if points != nil {
				t.Extra = []gostx509.Extension{extension("2.5.29.31", false, asn(0x30, points...))}
			}
		})
	}
	names := func(serial byte, of authority, r Reason) Entry {
		return Entry{Serial: []byte{serial}, RevokedAt: now.Add(-time.Hour), Reason: r, Issuer: of.cert.RawSubject}
	}
	list := func(of authority, scope Scope, entries ...Entry) *List {
		return of.list(t, func(t *Template) { t.Scope, t.Entries = scope, entries })
	}
	indirect := Scope{Indirect: true}
	entries := []Entry{names(0x41, other, Superseded), names(0x11, ca, KeyCompromise), names(0x12, ca, CertificateHold), names(0x22, stranger, KeyCompromise), names(0x23, stranger, KeyCompromise)}
	full := list(other, indirect, entries...)
	fine, bad, held := issue(0x22, other), issue(0x11, other), issue(0x12, other)
	// The list at the URL is of the CA; that of the other issuer has another name.
	twoPoints := ca.issue(t, []byte{0x22}, func(t *gostx509.Template) {
		t.Extra = []gostx509.Extension{extension("2.5.29.31", false, asn(0x30, asn(0x30, namedURL), asn(0x30,
			asn(0xA0, asn(0xA0, "\x86\x0bhttp://b.ex")), asn(0xA2, asn(0xA4, string(other.cert.RawSubject))))))}
	})
	vouched := func(name []byte) []*gostx509.Certificate {
		if bytes.Equal(name, other.cert.RawSubject) {
			return []*gostx509.Certificate{stranger.cert, other.cert}
		}
		return nil
	}
	ask(t, ca, vouched, map[string]asked{
		"good":                {[]*List{full}, fine, Policy{}, 0, "", 0},
		"revoked":             {[]*List{full}, bad, Policy{}, 0, reason.CertRevoked, 0},
		"issuer carried over": {[]*List{full}, held, Policy{}, 0, reason.CertOnHold, 0},
		"no point":            {[]*List{full}, issue(0x11), Policy{}, 0, reason.RevocationUnknown, 0},
		"point of another":    {[]*List{full}, issue(0x11, stranger), Policy{}, 0, reason.RevocationUnknown, 0},
		"two points":          {[]*List{full}, issue(0x11, stranger, other), Policy{}, 0, reason.CertRevoked, 0},
		"nobody vouches":      {[]*List{list(stranger, indirect, entries...)}, issue(0x22, stranger), Policy{}, 0, reason.RevocationUnusable, 0},
		"not indirect":        {[]*List{list(other, Scope{})}, fine, Policy{}, 0, reason.RevocationUnknown, 0},
		"own, and an expired one of nobody": {[]*List{ca.list(t, nil), stranger.list(t, func(t *Template) {
			t.Scope, t.Entries, t.ThisUpdate, t.NextUpdate = indirect, entries, now.Add(-time.Minute), now.Add(-time.Second)
		})},
			issue(0x12, stranger), Policy{}, 0, "", 0},
		"not indirect, beside a stale one": {[]*List{
			other.list(t, func(t *Template) {
				t.Scope, t.ThisUpdate, t.NextUpdate = indirect, now.Add(-3*time.Hour), now.Add(-2*time.Hour)
			}), list(other, Scope{}),
		}, fine, Policy{}, 0, reason.RevocationStale, 0},
		"a part that a point of the CA names": {[]*List{list(other, Scope{Indirect: true, URLs: []string{pointURL}})}, twoPoints, Policy{}, 0, reason.RevocationUnknown, 0},
		"entries, not indirect":               {[]*List{list(other, Scope{}, entries...)}, fine, Policy{}, 0, reason.RevocationUnknown, 0},
		"own, entries of another":             {[]*List{list(ca, Scope{}, entries...)}, issue(0x22), Policy{}, 0, reason.RevocationUnusable, 0},
		"own, indirect":                       {[]*List{list(ca, indirect, entries[1:]...)}, issue(0x11), Policy{}, 0, reason.CertRevoked, 0},
		"own, indirect, good":                 {[]*List{list(ca, indirect, entries...)}, issue(0x22), Policy{}, 0, "", 0},
		"own and other":                       {[]*List{full, ca.list(t, func(t *Template) { t.ThisUpdate = now.Add(-time.Minute) })}, fine, Policy{}, 0, "", 0},
		"with a delta": {[]*List{full, other.list(t, func(t *Template) {
			t.Number, t.Base, t.Scope, t.Entries = 8, 7, indirect, []Entry{names(0x22, ca, Superseded)}
		})}, fine, Policy{}, 0, reason.CertRevoked, 1},
		"by its name": {[]*List{list(other, Scope{Indirect: true, Names: []string{string(other.cert.RawSubject)}}, entries...)}, bad, Policy{}, 0, reason.CertRevoked, 0},
	})
	if c := (Checker{Set: NewSet(full)}).Revocation(fine, ca.cert, now); c.Reason != reason.RevocationUnusable {
		t.Errorf("without authorities: %+v", c)
	}
	if a := (Checker{Set: NewSet(full), Authorities: vouched}).Answer(bad, ca.cert, now); a.Signer != other.cert || !bytes.Equal(a.Entry.Issuer, ca.cert.RawSubject) {
		t.Errorf("%+v", a)
	}
	if full.Len() != len(entries) {
		t.Errorf("%d entries", full.Len())
	}
	if _, found := full.Lookup([]byte{0x11}); found {
		t.Error("an entry of another issuer is found as one of the list's own")
	}
	if e, found := full.Lookup([]byte{0x41}); !found || e.Issuer != nil {
		t.Errorf("%+v, %v", e, found)
	}
	if _, found := full.LookupOf([]byte("nobody"), []byte{0x41}); found {
		t.Error("an entry of nobody")
	}
	der := other.der(t, func(t *Template) { t.Scope, t.Entries = indirect, entries })
	same(t, der, parsed(t, der))
}

func parsed(t *testing.T, der []byte) *List {
	t.Helper()
	l, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestShelves compares long lists, in which everything is odd at times, with a map.
func TestShelves(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	r := rand.New(rand.NewPCG(3, 4))
	want := make(map[string]Entry)
	var entries []Entry
	for i := range 60_000 {
		serial := make([]byte, []int{2, 3, 16, 17, 17, 17, 17, 20, 1}[r.IntN(9)])
		for j := range serial {
			serial[j] = byte(1 + r.IntN(120))
		}
		if i%10 == 0 && i > 0 {
			serial = entries[r.IntN(i)].Serial
		}
		if i < 300 {
			serial = []byte{1, 2, 3, 4, 5} // a bucket that is searched by halves
		}
		e := Entry{Serial: serial, RevokedAt: now.Add(-time.Duration(r.IntN(1e6)) * time.Second), Reason: Reason(r.IntN(7))}
		switch r.IntN(20) {
		case 0:
			e.InvalidSince = now
		case 1:
			e.RevokedAt = now.AddDate(-20, 0, 0)
		case 2:
			e.RevokedAt = now.AddDate(1, 0, 0)
		}
		if old, twice := want[string(serial)]; !twice || e.RevokedAt.Before(old.RevokedAt) {
			want[string(serial)] = e
		}
		entries = append(entries, e)
	}
	der := ca.der(t, func(t *Template) { t.Entries = entries })
	if len(der) < longList {
		t.Fatalf("a list of %d bytes is not long", len(der))
	}
	l := parsed(t, der)
	if l.index.shelves == nil || l.index.shelves[17].count < minShelf || l.index.shelves[5].count != 0 {
		t.Error("the list is not on shelves, or too much of it is")
	}
	found := 0
	for e := range l.Entries() {
		if _, known := want[string(e.Serial)]; !known {
			t.Fatalf("%x was never written", e.Serial)
		}
		found++
	}
	if l.Len() != len(entries) || found != len(entries) {
		t.Errorf("%d entries, %d found, want %d", l.Len(), found, len(entries))
	}
	for serial, e := range want {
		if got, ok := l.Lookup([]byte(serial)); !ok || !got.RevokedAt.Equal(e.RevokedAt) || string(got.Serial) != serial {
			t.Fatalf("%x: %+v, want %+v", serial, got, e)
		}
		other := []byte(serial)
		other[len(other)-1] ^= 0x80
		if _, ok := l.Lookup(other); ok {
			t.Fatalf("%x is found", other)
		}
	}
	same(t, der, l)
}

// TestCrowdedBucket: one serial number very many times costs no more to find.
func TestCrowdedBucket(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	serial := bytes.Repeat([]byte{0x55}, 17)
	entries := make([]Entry, 40_000)
	for i := range entries {
		entries[i] = Entry{Serial: serial, RevokedAt: now.Add(-time.Duration(i*7919%40_000) * time.Second), Reason: KeyCompromise}
	}
	l := ca.list(t, func(t *Template) { t.Entries = entries })
	e, ok := l.Lookup(serial)
	if !ok || !e.RevokedAt.Equal(now.Add(-39_999*time.Second)) {
		t.Errorf("%+v, %v", e, ok)
	}
	for i := range entries { // the earlier half takes back what the later half says
		if entries[i].RevokedAt.Before(now.Add(-20_000 * time.Second)) {
			entries[i].Reason = RemoveFromCRL
		}
	}
	e, ok = ca.list(t, func(t *Template) { t.Entries = entries }).Lookup(serial)
	if !ok || !e.RevokedAt.Equal(now.Add(-20_000*time.Second)) || e.Reason != KeyCompromise {
		t.Errorf("%+v, %v", e, ok)
	}
}

// TestExpiredRevocation: an older list that is in force longer than a newer one does not
// make good again what the newer one has revoked.
func TestExpiredRevocation(t *testing.T) {
	ca, twin := newAuthority(t, "УЦ", nil), newAuthority(t, "УЦ", nil)
	cert := ca.issue(t, []byte{0x22}, nil)
	entry := func(r Reason) Entry {
		return Entry{Serial: cert.Serial, RevokedAt: now.Add(-40 * time.Minute), Reason: r}
	}
	old := ca.list(t, nil)
	expired := func(of authority, change func(*Template), entries ...Entry) *List {
		return of.list(t, func(t *Template) {
			t.Number, t.ThisUpdate, t.NextUpdate, t.Entries = 8, now.Add(-30*time.Minute), now.Add(-time.Minute), entries
			if change != nil {
				change(t)
			}
		})
	}
	keys := func(t *Template) { t.Scope.Reasons = Reasons(KeyCompromise, CACompromise, AACompromise) }
	ask(t, ca, nil, map[string]asked{
		"revoked":             {[]*List{old, expired(ca, nil, entry(KeyCompromise))}, cert, Policy{}, 0, reason.CertRevoked, 0},
		"on hold":             {[]*List{old, expired(ca, nil, entry(CertificateHold))}, cert, Policy{}, 0, reason.CertOnHold, 0},
		"in a part":           {[]*List{old, expired(ca, keys, entry(KeyCompromise))}, cert, Policy{}, 0, reason.CertRevoked, 0},
		"not":                 {[]*List{old, expired(ca, nil)}, cert, Policy{}, 0, "", 0},
		"revoked later":       {[]*List{old, expired(ca, nil, entry(KeyCompromise))}, cert, Policy{Now: now}, -45 * time.Minute, "", 0},
		"of another key":      {[]*List{old, expired(twin, nil, entry(KeyCompromise))}, cert, Policy{}, 0, "", 0},
		"for CAs":             {[]*List{old, expired(ca, func(t *Template) { t.Scope.CACerts = true }, entry(KeyCompromise))}, cert, Policy{}, 0, "", 0},
		"a newer one":         {[]*List{old, expired(ca, nil, entry(CertificateHold)), ca.list(t, func(t *Template) { t.Number, t.ThisUpdate = 9, now.Add(-time.Minute) })}, cert, Policy{}, 0, "", 0},
		"from the future":     {[]*List{old, expired(ca, func(t *Template) { t.ThisUpdate, t.NextUpdate = now.Add(time.Hour), now.Add(2*time.Hour) }, entry(KeyCompromise))}, cert, Policy{}, 0, "", 0},
		"by its delta list":   {[]*List{old, expired(ca, nil), expired(ca, func(t *Template) { t.Number, t.Base = 9, 8 }, entry(KeyCompromise))}, cert, Policy{}, 0, reason.CertRevoked, 1},
		"nothing is in force": {[]*List{expired(ca, nil, entry(KeyCompromise))}, cert, Policy{}, 0, reason.RevocationStale, 0},
	})
}

// counted counts the comparisons of sorting a bucket.
type counted struct {
	run
	n *int
}

func (c counted) Less(i, j int) bool { *c.n++; return c.run.Less(i, j) }

// TestSortOfOne: a bucket of few serial numbers, each very many times, is sorted in a
// time that is linear.
func TestSortOfOne(t *testing.T) {
	const n = 1 << 18
	for _, different := range []int{1, 2, 10} {
		var tray tray
		for i := range n {
			tray.add(0, []byte{byte(i % different), 1, 2, 3, 4}, uint32(i*2654435761)>>8<<reasonBits)
		}
		comparisons := 0
		sort.Sort(counted{run{&tray, 0, n}, &comparisons})
		if limit := 4 * n * (1 + different); comparisons > min(limit, 9*n) {
			t.Errorf("%d different: %d comparisons of %d records", different, comparisons, n)
		}
	}
}

// TestNeighbours: serial numbers of one bucket that begin alike are told apart, and of
// each the worst entry is found.
func TestNeighbours(t *testing.T) {
	for _, crowd := range []int{5, 500} { // looked at one by one, and found by halves
		var x index
		x.long(now)
		serial := func(i int) []byte {
			tail := binary.BigEndian.AppendUint64([]byte("same"), uint64(i))
			return serialOf(x.seed, uint16(i/crowd), tail)
		}
		for i := 0; i < 3*minShelf; i += 2 {
			for _, later := range []int{3, 0, 5} {
				x.add(serial(i), record{now.Unix() - int64(i) + int64(later) - 5, Superseded, noDate})
			}
		}
		x.build()
		if x.rest.count != 0 {
			t.Fatal("not on a shelf")
		}
		for i := range 3 * minShelf {
			r, found := x.lookup(serial(i))
			if found != (i%2 == 0) || found && r.revokedAt != now.Unix()-int64(i)-5 {
				t.Fatalf("%d: %v, %v", i, r, found)
			}
		}
	}
}

// TestEmptyNames: names that say nothing lead nowhere.
func TestEmptyNames(t *testing.T) {
	for _, n := range []generalName{{}, {tagURI, ""}, {tagDirectory, ""}} {
		p := distribution{names: []generalName{n}}
		if p.leadsTo(&List{names: []generalName{n}}, true) {
			t.Errorf("%+v", n)
		}
	}
}

// TestRead reads lists that arrive badly.
func TestRead(t *testing.T) {
	ca := newAuthority(t, "УЦ", nil)
	der := ca.der(t, nil)
	broken := errors.New("connection reset")
	if l, err := Read(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(der)))); !errors.Is(err, iotest.ErrTimeout) || l != nil {
		t.Errorf("%v, %v", l, err)
	}
	if l, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) || l != nil || reason.Of(err) == reason.CRLMalformed {
		t.Errorf("%v, %v", l, err)
	}
	for n := range der {
		if l, err := Read(bytes.NewReader(der[:n])); reason.Of(err) != reason.CRLMalformed || l != nil {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := Read(bytes.NewReader(append(bytes.Clone(der), 0))); reason.Of(err) != reason.CRLMalformed {
		t.Errorf("a byte after the list: %v", err)
	}
	if _, err := Read(bytes.NewReader([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff})); reason.Of(err) != reason.CRLMalformed {
		t.Errorf("a header that promises too much: %v", err)
	}
	header := "\x30\x83\x30\x00\x00\x30\x83\x2f\x00\x00" + version2 + algorithm + "\x30\x83\x20\x00\x00"
	if _, err := Read(strings.NewReader(header + strings.Repeat("\x00", 1<<21))); reason.Of(err) != reason.CRLTooLarge {
		t.Errorf("a name of 2 MB: %v", err)
	}
}

// watch gives data and calls see every so many bytes.
type watch struct {
	data  []byte
	done  int
	next  int
	every int
	see   func()
}

func (w *watch) Read(p []byte) (int, error) {
	if w.done >= w.next {
		w.see()
		w.next += w.every
	}
	n := copy(p, w.data[w.done:])
	w.done += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestFlipDelta changes one bit of every byte of a delta list and of an indirect one:
// nothing is lifted, and nothing is good.
func TestFlipDelta(t *testing.T) {
	ca, other := newAuthority(t, "УЦ", nil), newAuthority(t, "Издатель списков", nil)
	held := ca.issue(t, []byte{0x33}, func(c *gostx509.Template) {
		c.Extra = []gostx509.Extension{extension("2.5.29.31", false, asn(0x30, asn(0x30, asn(0xA2, asn(0xA4, string(other.cert.RawSubject))))))}
	})
	complete := ca.list(t, func(t *Template) {
		t.Entries = []Entry{{Serial: held.Serial, RevokedAt: now.Add(-time.Hour), Reason: CertificateHold}}
	})
	delta := ca.der(t, func(t *Template) {
		t.Number, t.Base, t.ThisUpdate = 9, 7, now.Add(-time.Minute)
		t.Entries = []Entry{{Serial: held.Serial, RevokedAt: now.Add(-2 * time.Minute), Reason: RemoveFromCRL}}
	})
	indirect := other.der(t, func(t *Template) {
		t.Scope.Indirect = true
		t.Entries = []Entry{{Serial: []byte{1}, RevokedAt: now, Issuer: ca.cert.RawSubject}}
	})
	vouched := func([]byte) []*gostx509.Certificate { return []*gostx509.Certificate{other.cert} }
	for name, v := range map[string]struct {
		der  []byte
		with []*List
		want verdict.Status
	}{
		"delta":    {delta, []*List{complete}, verdict.Failed},
		"indirect": {indirect, nil, verdict.Indeterminate},
	} {
		answer := func(der []byte) (verdict.Status, bool) {
			l, err := Parse(der)
			if err != nil {
				return 0, false
			}
			lists := append([]*List{l}, v.with...)
			return Checker{Set: NewSet(lists...), Authorities: vouched}.Revocation(held, ca.cert, now).Status, true
		}
		if status, _ := answer(v.der); status != verdict.Passed {
			t.Fatalf("%s: intact: %v", name, status)
		}
		for i := range v.der {
			bad := bytes.Clone(v.der)
			bad[i] ^= 1
			if status, readable := answer(bad); readable && status != v.want {
				t.Errorf("%s: byte %d: %v", name, i, status)
			}
		}
	}
}
