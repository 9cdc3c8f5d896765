package validate

import (
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/internal/country"
	"propusk/pki/reason"
	"propusk/pki/tsl"
	"propusk/pki/verdict"
)

// TestAccreditationDays judges one certificate, issued at a moment, by lists that tell
// of its CA in every way: 63-ФЗ, ст. 11, п. 1, and ст. 17.
func TestAccreditationDays(t *testing.T) {
	c := country.New(t)
	moscow := time.FixedZone("MSK", 3*60*60)
	day := func(month time.Month, d, hour int) time.Time { return time.Date(2026, month, d, hour, 0, 0, 0, moscow) }
	issued := day(2, 10, 12) // now is 15 June
	template := country.Entrepreneur()
	template.NotBefore = issued
	holder := c.Person(t, c.FNS, gost3410.TC26256A(), template)

	begin := tsl.StatusChange{Value: tsl.InForce, Since: day(1, 1, 0)}
	change := func(value string, since time.Time) tsl.StatusChange {
		return tsl.StatusChange{Value: value, Since: since}
	}
	own := tsl.NewCertificate(c.FNS.Cert)
	record := func(ogrn, successor string, certificates []tsl.Certificate, history ...tsl.StatusChange) *tsl.CA {
		return &tsl.CA{
			Name: "УЦ " + ogrn, OGRN: ogrn, SuccessorOGRN: successor, History: history,
			Installations: []tsl.Installation{{Keys: []tsl.Key{{Certificates: certificates}}}},
		}
	}
	fns := func(history ...tsl.StatusChange) *tsl.CA { return record("1", "", []tsl.Certificate{own}, history...) }
	passedOn := func(history ...tsl.StatusChange) *tsl.CA {
		return record("1", "2", []tsl.Certificate{own}, history...)
	}
	ended := change(tsl.Terminated, day(4, 1, 0))
	for name, v := range map[string]struct {
		list []*tsl.CA
		want reason.Code
	}{
		"in force":                               {[]*tsl.CA{fns(begin)}, ""},
		"since the day of issue":                 {[]*tsl.CA{fns(change(tsl.InForce, day(2, 10, 0)))}, ""},
		"since later on the day of issue":        {[]*tsl.CA{fns(change(tsl.InForce, day(2, 10, 20)))}, ""},
		"since the day after":                    {[]*tsl.CA{fns(change(tsl.InForce, day(2, 11, 0)))}, reason.CANotAccredited},
		"certificate older than the first entry": {[]*tsl.CA{fns(change(tsl.InForce, day(5, 1, 0)))}, reason.CANotAccredited},
		"ended on the day of issue":              {[]*tsl.CA{fns(begin, change(tsl.Terminated, day(2, 10, 20)), change(tsl.InForce, day(3, 1, 0)))}, reason.CANotAccredited},
		"ended the day before":                   {[]*tsl.CA{fns(begin, change(tsl.Terminated, day(2, 9, 23)), change(tsl.InForce, day(3, 1, 0)))}, reason.CANotAccredited},
		"ended and renewed that day":             {[]*tsl.CA{fns(begin, change(tsl.Terminated, day(2, 10, 1)), change(tsl.InForce, day(2, 10, 2)))}, ""},
		"gap since":                              {[]*tsl.CA{fns(begin, change(tsl.Terminated, day(3, 1, 0)), change(tsl.InForce, day(4, 1, 0)))}, ""},
		"suspended at issue":                     {[]*tsl.CA{fns(begin, change(tsl.Suspended, day(2, 1, 0)), change(tsl.InForce, day(3, 1, 0)))}, reason.CANotAccredited},
		"suspended now":                          {[]*tsl.CA{fns(begin, change(tsl.Suspended, day(6, 15, 0)))}, reason.CANotAccredited},
		"annulled":                               {[]*tsl.CA{fns(begin, change(tsl.Annulled, day(6, 15, 23)))}, reason.CANotAccredited},
		"ends tomorrow":                          {[]*tsl.CA{fns(begin, change(tsl.Annulled, day(6, 16, 0)))}, ""},
		"unknown status now":                     {[]*tsl.CA{fns(begin, change("Реорганизована", day(3, 1, 0)))}, reason.CAStatusUnknown},
		"unknown status at issue":                {[]*tsl.CA{fns(begin, change("Реорганизована", day(2, 1, 0)), change(tsl.InForce, day(3, 1, 0)))}, reason.CAStatusUnknown},
		"no status":                              {[]*tsl.CA{fns()}, reason.CANotAccredited},
		"not listed":                             {[]*tsl.CA{record("1", "", nil, begin)}, reason.CANotListed},
		"twice, the second in force":             {[]*tsl.CA{fns(begin, ended), record("3", "", []tsl.Certificate{own}, begin)}, ""},
		"twice, one before the other":            {[]*tsl.CA{fns(begin, ended), record("3", "", []tsl.Certificate{own}, change(tsl.InForce, day(5, 1, 0)))}, ""},
		"twice, with a gap at issue":             {[]*tsl.CA{fns(begin, change(tsl.Terminated, day(2, 1, 0))), record("3", "", []tsl.Certificate{own}, change(tsl.InForce, day(3, 1, 0)))}, reason.CANotAccredited},
		"powers transferred":                     {[]*tsl.CA{passedOn(begin, ended), record("2", "", nil, begin)}, ""},
		"transferred, then on":                   {[]*tsl.CA{passedOn(begin, ended), record("2", "3", nil, begin, change(tsl.Annulled, day(5, 1, 0))), record("3", "", nil, begin)}, ""},
		"transferred to one that ended":          {[]*tsl.CA{passedOn(begin, ended), record("2", "", nil, begin, ended)}, reason.CANotAccredited},
		"transferred to nobody listed":           {[]*tsl.CA{passedOn(begin, ended)}, reason.CANotAccredited},
		"transferred, issued too late":           {[]*tsl.CA{passedOn(begin, change(tsl.Terminated, day(2, 1, 0))), record("2", "", nil, begin)}, reason.CANotAccredited},
		"transferred today":                      {[]*tsl.CA{passedOn(begin, change(tsl.Terminated, day(6, 15, 0))), record("2", "", nil, change(tsl.InForce, day(6, 15, 0)))}, ""},
		"transferred to one that ended today":    {[]*tsl.CA{passedOn(begin, ended), record("2", "", nil, begin, change(tsl.Annulled, day(6, 15, 0)))}, reason.CANotAccredited},
		"suspended, with an heir":                {[]*tsl.CA{passedOn(begin, change(tsl.Suspended, day(4, 1, 0))), record("2", "", nil, begin)}, reason.CANotAccredited},
		"unknown status, with an heir":           {[]*tsl.CA{passedOn(begin, change("Спит", day(4, 1, 0))), record("2", "", nil, begin)}, reason.CAStatusUnknown},
	} {
		doc, err := tsl.Sign(&tsl.Content{Version: 1, Date: now, CAs: v.list}, c.Root.Key, c.Root.Cert.Raw)
		if err != nil {
			t.Fatal(err)
		}
		val := validator(c, QES())
		if val.Trust.Accredited, err = tsl.Verify(doc, c.Root.Cert); err != nil {
			t.Fatal(err)
		}
		got := val.Certificate(holder.Cert.Raw, nil, now).Verdict
		if got.Why() != v.want || (got.Status() == verdict.Passed) != (v.want == "") {
			t.Errorf("%s: %q, want %q: %+v", name, got.Why(), v.want, got.Checks())
		}
		if problems := len(val.Trust.Accredited.Content().Problems); (problems > 0) != (strings.Contains(name, "unknown") || name == "no status") {
			t.Errorf("%s: %d problems", name, problems)
		}
	}
}
