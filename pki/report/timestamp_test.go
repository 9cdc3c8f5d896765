package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/validate"
)

// TestTimeStamps: a signature with a time-stamp has a proven time, the stamp has a
// verdict of its own, and both rest on evidence that is named; a stamp that did not
// pass proves nothing, and is shown.
func TestTimeStamps(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	stamped := country.Now.Add(-time.Hour)
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	bes := longterm.Sign(t, document, true, h, country.Now.Add(-2*time.Hour))
	judge := func(file []byte) *Document {
		return Signatures(v.Signature(file, cms.Document(document), country.Now), v.Trust, country.Now)
	}

	tsa := longterm.NewTSA(t, c, c.FNS, country.TimeStamping(), stamped)
	d := judge(longterm.T(t, bes, tsa))
	s := d.Signatures[0]
	if d.Conclusion != TotalPassed || s.Level != "CAdES-T" || s.ProofOfExistence == nil || !s.ProofOfExistence.Equal(stamped) || len(s.TimeStamps) != 1 {
		t.Fatalf("%s %s %v %v", d.Conclusion, s.Level, s.ProofOfExistence, s.TimeStamps)
	}
	if stamp := s.TimeStamps[0]; stamp.Conclusion != TotalPassed || stamp.Kind != "signature-time-stamp" || !stamp.Time.Equal(stamped) ||
		stamp.Certificate == nil || len(stamp.Checks) == 0 || stamp.Code != "" || stamp.Text.RU != "Метка времени действительна." {
		t.Errorf("%+v", stamp)
	}
	if s.CertificateMoment == nil || !s.CertificateMoment.Equal(stamped) {
		t.Errorf("the certificate was judged for %v", s.CertificateMoment)
	}
	if got := roleDigests(d.Evidence, RoleTimeStamp); len(got) != 1 {
		t.Errorf("time-stamps among the evidence: %q", got)
	}
	if !slices.Contains(roleDigests(d.Evidence, RoleCertificate), hexOf(tsa.Holder.Cert.SHA256())) {
		t.Error("the certificate of the authority is no evidence")
	}
	for _, check := range s.TimeStamps[0].Checks {
		if got := title(check.Name); got.RU == check.Name {
			t.Errorf("the check %s has no title", check.Name)
		}
	}
	contains(t, pageOf(t, d, Russian), "не позднее 15.06.2026 14:00:00 МСК", "доказано проверенной меткой времени", "Метка времени на подпись")

	stranger := longterm.NewTSA(t, c, nil, country.TimeStamping(), stamped)
	d = judge(longterm.T(t, bes, stranger))
	s = d.Signatures[0]
	if d.Conclusion != TotalPassed || s.ProofOfExistence != nil || len(s.TimeStamps) != 1 || s.TimeStamps[0].Conclusion == TotalPassed {
		t.Fatalf("a stamp of a stranger: %s %v %+v", d.Conclusion, s.ProofOfExistence, s.TimeStamps)
	}
	if stamp := s.TimeStamps[0]; stamp.Code == "" || stamp.SubIndication == "" || !strings.HasPrefix(stamp.Text.RU, "Метка времени ничего не доказывает.") {
		t.Errorf("%+v", stamp)
	}
	page := pageOf(t, d, Russian)
	contains(t, page, "Метка времени ничего не доказывает.", "не доказано")
	if strings.Contains(page, "доказано проверенной меткой") {
		t.Error("a stamp that did not pass proves a time")
	}
	if len(roleDigests(d.Evidence, RoleTimeStamp)) != 1 {
		t.Error("the stamp that was judged is no evidence")
	}
}
