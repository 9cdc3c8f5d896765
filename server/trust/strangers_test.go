package trust

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// TestStrangers judges everybody: the CAs that are not known are recorded by name,
// the people never.
func TestStrangers(t *testing.T) {
	country, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	store := certs.NewStore(certs.Source{Dir: filepath.Join(dir, "trust")}, time.Now)
	if err := store.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	var s Strangers
	at := country.Now()
	g := Guard{Store: store, MaxAge: time.Hour, Now: time.Now, Judged: func(c validate.Certificate) { s.Judged(c, at) }}
	var texts strings.Builder
	want := map[string]Stranger{}
	for round := range 3 {
		at = country.Now().Add(time.Duration(round) * time.Minute)
		for _, p := range country.People() {
			validate.Validator{Trust: g.ForVerdicts(), Policy: validate.QES()}.ParsedCertificate(p.Certificate, nil, at)
			if p.Expect == reason.UnknownCA || p.Expect == reason.CANotListed {
				one := want[p.Issuer.Name]
				one.Code, one.Count, one.First, one.Last = p.Expect, one.Count+1, country.Now(), at
				want[p.Issuer.Name] = one
			}
		}
	}
	all := s.All()
	if len(want) != 2 || len(all) != len(want) {
		t.Fatalf("%d CAs recorded, want %d: %+v", len(all), len(want), all)
	}
	for _, got := range all {
		fmt.Fprintf(&texts, "%+v", got)
		_, name, _ := strings.Cut(got.Issuer, ", ")
		w := want[name]
		if w.Code != got.Code || w.Count != got.Count || !w.First.Equal(got.First) || !w.Last.Equal(got.Last) || len(got.KeyID) != 40 {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
	for _, p := range country.People() {
		for _, secret := range []string{p.Name, p.INN, p.SNILS, p.OGRNIP} {
			if secret != "" && strings.Contains(texts.String(), secret) {
				t.Errorf("%s is recorded", p.ID)
			}
		}
	}
	if cas, certificates := s.Count(); cas != 2 || certificates != all[0].Count+all[1].Count {
		t.Errorf("%d, %d", cas, certificates)
	}
}

// unknown is the judgement of a certificate whose issuer nobody knows.
func unknown(c *gostx509.Certificate) validate.Certificate {
	var b verdict.Builder
	b.Fail("chain", reason.UnknownCA, "")
	return validate.Certificate{Parsed: c, Verdict: b.Done(person.Identity{})}
}

// TestNoPersonIsAStranger: a certificate that somebody signed for himself, or with
// that of a person, leaves no name behind; names are cut and cleaned.
func TestNoPersonIsAStranger(t *testing.T) {
	name := func(pairs ...gostx509.Attribute) gostx509.Name { return pairs }
	o := gostx509.Attribute{Type: gostx509.OIDOrganization, Text: "ООО «Образец»\n\x1b[31m"}
	cn := gostx509.Attribute{Type: gostx509.OIDCommonName, Text: "Иванов Иван" + strings.Repeat("ы", 1000)}
	for what, c := range map[string]*gostx509.Certificate{
		"self-signed":     {RawIssuer: []byte("a"), RawSubject: []byte("a"), Issuer: name(o, cn)},
		"no organisation": {RawIssuer: []byte("b"), Issuer: name(cn)},
		"surname":         {RawIssuer: []byte("c"), Issuer: name(o, cn, gostx509.Attribute{Type: gostx509.OIDSurname, Text: "Иванов"})},
		"snils":           {RawIssuer: []byte("d"), Issuer: name(o, cn, gostx509.Attribute{Type: gostx509.OIDSNILS, Text: "1"})},
	} {
		var s Strangers
		s.Judged(unknown(c), time.Now())
		if all := s.All(); len(all) != 1 || all[0].Issuer != "" {
			t.Errorf("%s: %+v", what, all)
		}
	}
	var s Strangers
	s.Judged(unknown(&gostx509.Certificate{RawIssuer: []byte("e"), Issuer: name(o, cn)}), time.Now())
	if got := s.All()[0].Issuer; strings.ContainsAny(got, "\n\x1b") || len([]rune(got)) > maxIssuer+1 || !strings.HasPrefix(got, "ООО «Образец»") {
		t.Errorf("%q", got)
	}
}

// TestStrangersAreBounded: whoever makes up CAs takes no memory, nor the place of
// those that are seen again and again. Nil records nothing.
func TestStrangersAreBounded(t *testing.T) {
	var s Strangers
	var wait sync.WaitGroup
	at := time.Now()
	often := unknown(&gostx509.Certificate{RawIssuer: []byte("often")})
	for worker := range 4 {
		wait.Go(func() {
			for i := range maxStrangers {
				s.Judged(unknown(&gostx509.Certificate{RawIssuer: fmt.Append(nil, worker, i)}), at.Add(time.Duration(i)*time.Second))
				s.Judged(often, at.Add(time.Duration(i)*time.Second))
			}
		})
	}
	wait.Wait()
	cas, certificates := s.Count()
	if cas != maxStrangers || certificates != 8*maxStrangers {
		t.Errorf("%d CAs, %d certificates", cas, certificates)
	}
	if first := s.All()[0]; first.Count != 4*maxStrangers {
		t.Errorf("%+v", first)
	}
	var none *Strangers
	none.Judged(often, at)
	if cas, _ := none.Count(); cas != 0 || len(none.All()) != 0 {
		t.Error("nil records something")
	}
}
