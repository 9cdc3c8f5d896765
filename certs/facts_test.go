package certs_test

import (
	"reflect"
	"testing"
	"time"

	"propusk/pki/path"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// TestFacts judges everybody again and again with what the snapshot remembers: every
// verdict is that of somebody who remembers nothing, at any time, under any policy,
// and when the trust data change while the memory stays.
func TestFacts(t *testing.T) {
	country := newCountry(t, "facts", moment)
	trust := loaded(t, trustDir(t, country)).Current().Trust()
	if trust.Facts == nil {
		t.Fatal("a snapshot remembers nothing")
	}
	noRoots, noLists, noCAs := trust, trust, trust
	noRoots.Roots = path.NewPool(country.Person("ip").Certificate)
	noLists.CRLs = nil
	noCAs.Accredited = nil
	passed := 0
	for range 5 {
		for name, trust := range map[string]validate.Trust{"all": trust, "no roots": noRoots, "no lists": noLists, "no CAs": noCAs} {
			for _, policy := range []validate.Policy{validate.QES(), validate.SignIn("ip"), validate.CA()} {
				for _, at := range []time.Time{moment.Add(time.Hour), moment.AddDate(-3, 0, 0), moment.AddDate(5, 0, 0)} {
					for _, p := range country.People() {
						chain := [][]byte{p.Issuer.Certificate.Raw}
						got := validate.Validator{Trust: trust, Policy: policy}.Certificate(p.Certificate.Raw, chain, at)
						fresh := trust
						fresh.Facts = nil
						want := validate.Validator{Trust: fresh, Policy: policy}.Certificate(p.Certificate.Raw, chain, at)
						if got.Verdict.Status() != want.Verdict.Status() || !reflect.DeepEqual(got.Verdict.Checks(), want.Verdict.Checks()) {
							t.Fatalf("%s, %s, %s: %v, want %v", p.ID, name, policy.Name, got.Verdict.Checks(), want.Verdict.Checks())
						}
						if got.Verdict.Status() == verdict.Passed {
							passed++
						}
					}
				}
			}
		}
	}
	if passed == 0 {
		t.Error("nobody ever passed")
	}
}
