package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// pageOf writes the page of a document.
func pageOf(t *testing.T, d *Document, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, d, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// contains checks the texts of a page.
func contains(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// TestHTML: each conclusion is said in words and signs of its own, in both
// languages, with the person only if the signature is good.
func TestHTML(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	file := h.Sign(t, document, "-cades", "-outform", "DER")
	judged := func(v validate.Validator, content cms.Content) *Document {
		return Signatures(v.Signature(file, content, country.Now), v.Trust, country.Now)
	}
	good := judged(v, cms.Document(document))
	page := pageOf(t, good, Russian)
	contains(t, page, `lang="ru"`, "Протокол проверки электронной подписи", "Подпись действительна", "Документ не изменялся", "Иванов Иван Вымышленный",
		"500100732259", "15.06.2026 15:00:00 МСК", "не доказано", "само по себе ничего не доказывает", "версия 7", "ст. 11, п. 3",
		"0 — Электронная подпись действительна", good.Evidence[0].Digest)
	contains(t, pageOf(t, good, English), `lang="en"`, "The signature is valid", "Signed by", "not proven", "63-FZ, Art. 11(3)")
	if pageOf(t, good, "xx") != page {
		t.Error("another language is not Russian")
	}

	changed := pageOf(t, judged(v, cms.Document([]byte("x"))), Russian)
	contains(t, changed, "Подпись недействительна", "Что делать:", "Кто подписал, не подтверждено", "3 — Электронная подпись недействительна", "Не проверялся")
	unknown := pageOf(t, judged(validate.Validator{Policy: validate.QES()}, cms.Document(document)), Russian)
	contains(t, unknown, "Проверить подпись до конца не удалось", "Кто подписал, не подтверждено", "не загружен")
	broken := pageOf(t, Signatures(v.Signature([]byte("x"), cms.Content{}, country.Now), v.Trust, country.Now), English)
	contains(t, broken, "The signature is not valid", "not given, or not the one")
	for _, p := range []string{changed, unknown, broken} {
		if strings.Contains(p, "Подписал:") || strings.Contains(p, "<dt>Подписал</dt>") || strings.Contains(p, "Подпись действительна") {
			t.Error("a signature that did not pass has a signer or is called good")
		}
	}
}

// TestHTMLParts: several signatures, time-stamps and counter-signatures are shown.
func TestHTMLParts(t *testing.T) {
	moment := country.Now
	one := Signature{Conclusion: TotalPassed, Level: "CAdES-T", ProofOfExistence: &moment, Signer: &Identity{Organization: "ООО Вымысел"}, Mathematical: verdict.Passed}
	bad := Signature{Conclusion: TotalFailed, Code: reason.CertExpired, Checks: []Check{
		{Step: &Step{Name: "profile.inn", Status: verdict.NotApplicable, Code: reason.RuleOtherHolder}},
		{Step: &Step{Name: "profile.snils", Status: verdict.Failed, Code: reason.AttributeMissing}},
	}}
	bad.CounterSignatures = []Signature{one}
	bad.TimeStamps = []TimeStamp{{Kind: "archive-time-stamp-v3", Conclusion: TotalPassed, Time: &moment}}
	page := pageOf(t, &Document{Conclusion: TotalFailed, Code: reason.CertExpired, Signatures: []Signature{one, bad}}, Russian)
	contains(t, page, "Не все подписи действительны", "Подпись 1 из 2", "Подпись 2 из 2", "не позднее 15.06.2026 15:00:00", "Заверяющая подпись 1",
		"Архивная метка времени", "ООО Вымысел", "выполнено 0, не выполнено 1, не относится 1", "Указан СНИЛС")
	contains(t, pageOf(t, &Document{Conclusion: TotalPassed, Signatures: []Signature{one, one}}, Russian), "Все подписи действительны")
	contains(t, pageOf(t, &Document{}, English), "could not be verified to the end")
}

// TestHTMLEscapes: whatever a certificate says is text on the page.
func TestHTMLEscapes(t *testing.T) {
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{.}}</style>`
	data := &CertificateData{Subject: "CN=" + attack, Issuer: "CN=" + attack, Serial: attack, SHA1: attack, SHA256: attack}
	check := Check{&Step{Name: attack, Status: verdict.Failed, Code: reason.Code(attack), Cite: attack}, attack}
	s := Signature{
		Conclusion: TotalPassed, SubIndication: attack, Code: reason.Code(attack), Level: attack, Format: attack,
		Signer:             &Identity{Name: attack, Organization: attack, Title: attack, Email: attack, INN: attack, KindText: Text{attack, attack}},
		SigningCertificate: data, Checks: []Check{check}, Additions: []Check{check},
		StateCode:         &StateCode{Text: Text{attack, attack}, CertificateStatus: &Text{attack, attack}},
		TimeStamps:        []TimeStamp{{Kind: attack, Code: reason.Code(attack), Text: Text{attack, attack}, Certificate: data}},
		CounterSignatures: []Signature{{ClaimedCertificate: data}},
	}
	d := &Document{
		Conclusion: TotalPassed, Signatures: []Signature{s}, Checks: []Check{check},
		Evidence: []Evidence{{Role: attack, Digest: attack, Algorithm: attack, Issuer: attack, Source: attack}, {Role: RoleDocument, Digest: attack, Algorithm: attack}},
		Context:  Context{Policy: attack, Engine: Engine{Name: attack, Module: attack, Version: attack}, Program: attack, ProgramVersion: attack, Notice: Text{attack, attack}, Trust: Trust{ID: attack, LoadedAt: new(country.Now)}},
	}
	for _, lang := range []string{Russian, English} {
		page := pageOf(t, d, lang)
		if strings.Contains(page, "<script") || strings.Contains(page, "<img") || strings.Count(page, "</style>") != 1 {
			t.Errorf("%s: markup of a certificate is markup of the page", lang)
		}
		if n := strings.Count(page, "&lt;script&gt;"); n < 30 {
			t.Errorf("%s: only %d places show what the certificate says: the test does not reach them", lang, n)
		}
		// Outside of texts there is nothing of the attack either.
		if tags := regexp.MustCompile(`<[^>]*(onerror|alert)[^>]*>`).FindString(page); tags != "" {
			t.Errorf("%s: %s", lang, tags)
		}
	}
}

// TestHTMLStandsAlone: the page runs nothing and fetches nothing, and its policy
// names the style that it has.
func TestHTMLStandsAlone(t *testing.T) {
	page := pageOf(t, &Document{}, Russian)
	for _, foreign := range []string{"<script", "<link", "@import", "url(", "src=", "href=", "http://", "https://", "style=\""} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %s", foreign)
		}
	}
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	if !strings.Contains(ContentSecurityPolicy(), want) {
		t.Errorf("%s does not name the style, %s", ContentSecurityPolicy(), want)
	}
	// "+" of base64 may be written as a character reference.
	stated := strings.NewReplacer("&#43;", "+", "&#39;", "'").Replace(page)
	if !strings.Contains(stated, pageSecurity()) {
		t.Error("the page does not state its policy")
	}
}

// failing is a writer that is broken.
type failing struct{}

var errBroken = errors.New("broken")

func (failing) Write([]byte) (int, error) { return 0, errBroken }

func TestHTMLWriter(t *testing.T) {
	if err := HTML(failing{}, &Document{}, Russian); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

// TestAge writes spans of time in the unit that people use.
func TestAge(t *testing.T) {
	l := newLanguage(English)
	for seconds, want := range map[int64]string{0: "0 seconds", 119: "119 seconds", 120: "2 minutes", 7199: "119 minutes", 7200: "2 hours", 172799: "47 hours", 172800: "2 days"} {
		if got := l.Age(seconds); got != want {
			t.Errorf("%d: %q, want %q", seconds, got, want)
		}
	}
	if got := age(country.Now, country.Now.Add(-time.Hour)); got != 0 {
		t.Errorf("data of the future are %d seconds old", got)
	}
}
