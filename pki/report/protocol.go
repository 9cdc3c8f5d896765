package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// page is what the template of the protocol sees.
type page struct {
	language
	look
	Style    template.CSS
	Security string

	D            *Document
	Word         string // the conclusion, in capitals of meaning
	What, Remedy string
	Pass         string // what to do with the record itself
	PolicyName   string
	Engine       string
	Documents    []Evidence
	NoDocument   string // why there is none in Documents
	Signatures   []signaturePage
	Checks       []row
}

// signaturePage is one signature on the page.
type signaturePage struct {
	language
	look
	S     Signature
	Title string

	Who          []fact
	Claimed      *CertificateData // who signed is not confirmed
	Certificate  *CertificateData
	Results      []resultRow
	What, Todo   string
	Plain        []row // what matters, in plain words
	Profile      []row // the rules for qualified certificates
	ProfileTitle string
	Stamps       []row
	Counter      []signaturePage
	Technical    []Check
}

// fact is one line about somebody.
type fact struct{ Label, Value string }

// row is one line of a table of checks.
type row struct {
	look
	Name, Value string
	Norm        string
	Why, Do     string
}

// resultRow is one of the three results.
type resultRow struct {
	look
	Name, Value string
}

func newPage(d *Document, lang string) page {
	l := newLanguage(lang)
	p := page{
		language: l, look: lookOf(statusOf(d.Conclusion)), Style: template.CSS(pageStyle), Security: pageSecurity(),
		D: d, Word: l.word(d), PolicyName: l.policy(d.Policy), Engine: l.engine(d.Engine), Checks: l.rows(notPassedChecks(d.Checks)),
	}
	p.What, p.Remedy = l.explain(d.Code)
	switch statusOf(d.Conclusion) {
	case verdict.Passed:
		p.What = l.good(d)
	case verdict.Failed:
		p.Pass = l.T("Если документ подписали не вы, передайте этот протокол тому, кто его подписал.", "If it was not you who signed, pass this record on to the one who did.")
	}
	for _, e := range d.Evidence {
		if e.Role == RoleDocument {
			p.Documents = append(p.Documents, e)
		}
	}
	p.NoDocument = l.noDocument(d.Code)
	for i, s := range d.Signatures {
		title := l.T("Подпись", "Signature")
		if len(d.Signatures) > 1 {
			title += fmt.Sprintf(" %d %s %d", i+1, l.T("из", "of"), len(d.Signatures))
		}
		one := l.signature(s, title)
		if len(d.Signatures) == 1 {
			one.What, one.Todo = "", "" // it is said above
		}
		p.Signatures = append(p.Signatures, one)
	}
	return p
}

// noDocument says why the record names no document.
func (l language) noDocument(code reason.Code) string {
	switch code {
	case reason.ContentMissing:
		return l.T("не приложен", "not given")
	case reason.ContentMismatch:
		return l.T("приложен не тот документ, который внутри подписи", "what was given is not the document inside the signature")
	case reason.ContentChanged:
		return l.T("приложен не тот документ, который подписан, или он изменён", "what was given is not the document that was signed, or was changed")
	default:
		return l.T("не предоставлен или не тот, который подписан", "not given, or not the one that was signed")
	}
}

// WhyNotProven says what it means that nothing proves when a signature was made;
// nothing if the certificate was not judged.
func (p signaturePage) WhyNotProven() string {
	if p.S.CertificateMoment == nil {
		return ""
	}
	return p.T("метки времени нет или она не подтверждена, поэтому сертификат оценён на момент, на который дано заключение",
		"there is no time-stamp, or it is not confirmed, so the certificate was judged for the moment of the conclusion")
}

// word says the conclusion about the whole file.
func (l language) word(d *Document) string {
	several := len(d.Signatures) > 1
	switch statusOf(d.Conclusion) {
	case verdict.Passed:
		if several {
			return l.T("Все подписи действительны", "All signatures are valid")
		}
		return l.T("Подпись действительна", "The signature is valid")
	case verdict.Failed:
		if several {
			return l.T("Не все подписи действительны", "Not all signatures are valid")
		}
		return l.T("Подпись недействительна", "The signature is not valid")
	default:
		return l.T("Проверить подпись до конца не удалось", "The signature could not be verified to the end")
	}
}

// good says what a good conclusion means.
func (l language) good(d *Document) string {
	text := l.T("Документ не изменялся после подписания.", "The document was not changed after it was signed.")
	if len(d.Signatures) == 1 && d.Signatures[0].Signer != nil {
		who := d.Signatures[0].Signer
		text += fmt.Sprintf(" %s %s (%s).", l.T("Подписал:", "Signed by"), cmp.Or(who.Name, who.Organization), l.Text(who.KindText))
	}
	return text
}

// policy names a policy.
func (l language) policy(name string) string {
	switch name {
	case "qes":
		return l.T("усиленная квалифицированная подпись (63-ФЗ, ст. 11)", "qualified electronic signature (63-FZ, Art. 11)")
	default:
		return name
	}
}

// explain says what is wrong and what to do; nothing for no reason.
func (l language) explain(code reason.Code) (what, remedy string) {
	entry, ok := reason.Lookup(code)
	if !ok {
		return "", ""
	}
	whatRU, whatEN := entry.What()
	doRU, doEN := entry.Remedy()
	return l.T(whatRU, whatEN), l.T(doRU, doEN)
}

// signature makes the page of one signature, and of those over it.
func (l language) signature(s Signature, title string) signaturePage {
	p := signaturePage{
		language: l, look: lookOf(statusOf(s.Conclusion)), S: s, Title: title,
		Claimed: s.ClaimedCertificate, Certificate: s.SigningCertificate,
	}
	if p.Certificate == nil {
		p.Certificate = s.ClaimedCertificate
	}
	if s.Signer != nil {
		p.Who = l.who(s)
	}
	p.What, p.Todo = l.explain(s.Code)
	p.Results = []resultRow{
		{lookOf(s.Mathematical), l.T("Подпись и документ", "Signature and document"), l.result(s.Mathematical)},
		{lookOf(s.Certificate), l.T("Сертификат подписавшего", "Certificate of the signer"), l.result(s.Certificate)},
		{p.look, l.T("Подпись в целом", "The signature as a whole"), l.total(s)},
	}
	plain, profile := split(s.Checks)
	p.Plain, p.Profile = l.rows(plain), l.rows(profile)
	for i := range p.Profile {
		p.Profile[i].Norm = profile[i].Cite
	}
	p.Technical = slices.Concat(plain, s.Additions)
	p.ProfileTitle = l.profileTitle(profile)
	for _, t := range s.TimeStamps {
		p.Stamps = append(p.Stamps, l.stamp(t))
	}
	for i, c := range s.CounterSignatures {
		p.Counter = append(p.Counter, l.signature(c, fmt.Sprintf("%s %d", l.T("Заверяющая подпись", "Counter-signature"), i+1)))
	}
	return p
}

// total says the conclusion about one signature.
func (l language) total(s Signature) string {
	switch statusOf(s.Conclusion) {
	case verdict.Passed:
		return l.T("действительна", "valid")
	case verdict.Failed:
		return l.T("недействительна", "not valid")
	default:
		return l.T("не проверена до конца", "not decided")
	}
}

// who lists what is known of a signer who was confirmed.
func (l language) who(s Signature) []fact {
	id := s.Signer
	facts := []fact{
		{l.T("Подписал", "Signed by"), id.Name},
		{l.T("Организация", "Organization"), id.Organization},
		{l.T("Должность", "Title"), id.Title},
		{l.T("Кто это", "Who it is"), l.Text(id.KindText)},
		{l.T("ИНН", "INN"), id.INN},
		{l.T("ИНН организации", "INN of the organization"), id.INNLE},
		{l.T("ОГРН", "OGRN"), id.OGRN},
		{l.T("ОГРНИП", "OGRNIP"), id.OGRNIP},
		{l.T("СНИЛС", "SNILS"), id.SNILS},
		{l.T("Электронная почта", "E-mail"), id.Email},
	}
	if s.SigningCertificate != nil {
		facts = append(facts, fact{l.T("Сертификат выдал", "Certificate issued by"), commonName(s.SigningCertificate.Issuer)})
	}
	known := facts[:0]
	for _, f := range facts {
		if f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}

// Name picks the name out of a distinguished name, for templates.
func (language) Name(dn string) string { return commonName(dn) }

// commonName picks the name out of a distinguished name; all of it if there is none.
func commonName(dn string) string {
	for part := range strings.SplitSeq(dn, ", ") {
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			return name
		}
	}
	return dn
}

// split parts the rules for qualified certificates from the other checks. A rule
// that was broken, or that nobody could judge, is among both: it must be seen.
func split(all []Check) (plain, profile []Check) {
	for _, c := range all {
		isProfile := strings.HasPrefix(c.Name, "profile.")
		if isProfile {
			profile = append(profile, c)
		}
		if !isProfile || c.Status == verdict.Failed || c.Status == verdict.Indeterminate {
			plain = append(plain, c)
		}
	}
	return plain, profile
}

func notPassedChecks(all []Check) []Check {
	var out []Check
	for _, c := range all {
		if c.Status == verdict.Failed || c.Status == verdict.Indeterminate {
			out = append(out, c)
		}
	}
	return out
}

// profileTitle counts the rules for qualified certificates.
func (l language) profileTitle(profile []Check) string {
	n := map[verdict.Status]int{}
	for _, c := range profile {
		n[c.Status]++
	}
	return fmt.Sprintf(l.T(
		"Требования к квалифицированному сертификату: выполнено %d, не выполнено %d, не относится %d",
		"Rules for qualified certificates: %d obeyed, %d broken, %d do not apply",
	), n[verdict.Passed], n[verdict.Failed]+n[verdict.Indeterminate], n[verdict.NotApplicable])
}

// rows writes checks in plain words.
func (l language) rows(all []Check) []row {
	var out []row
	for _, c := range all {
		r := row{look: lookOf(c.Status), Name: l.Text(title(c.Name)), Value: l.outcome(c.Status)}
		if c.Status != verdict.NotApplicable {
			r.Why, r.Do = l.explain(c.Code)
		}
		if c.Status == verdict.Failed {
			r.Why += l.revokedOn(c.Detail)
		}
		out = append(out, r)
	}
	return out
}

// revokedOn says since when a certificate is revoked and why, which the detail of the
// check says first; nothing if it does not.
func (l language) revokedOn(detail string) string {
	text, ok := strings.CutPrefix(detail, "revoked on ")
	if !ok {
		return ""
	}
	text, _, _ = strings.Cut(text, ";")
	when, why, _ := strings.Cut(text, ", ")
	at, err := time.Parse(time.RFC3339, when)
	if err != nil {
		return ""
	}
	out := l.T(" Отозван ", " Revoked on ") + l.Moment(at)
	if cause, known := revocationCauses[why]; known {
		out += l.T(", причина: ", ", because of ") + l.Text(cause)
	}
	return out + "."
}

// revocationCauses puts the reasons of RFC 5280, Section 5.3.1, into words; the others
// tell nothing to the reader of a record.
var revocationCauses = map[string]Text{
	"keyCompromise":        {"компрометация ключа", "compromise of the key"},
	"cACompromise":         {"компрометация ключа удостоверяющего центра", "compromise of the key of the CA"},
	"affiliationChanged":   {"изменились сведения о владельце", "a change of the holder's data"},
	"superseded":           {"сертификат заменён другим", "replacement by another certificate"},
	"cessationOfOperation": {"прекращение использования", "cessation of operation"},
	"certificateHold":      {"действие приостановлено", "suspension"},
	"privilegeWithdrawn":   {"лишение полномочий", "withdrawal of privileges"},
}

// stamp writes a time-stamp.
func (l language) stamp(t TimeStamp) row {
	r := row{look: lookOf(statusOf(t.Conclusion)), Name: l.stampKind(t.Kind)}
	if t.Time != nil {
		r.Value = l.Moment(*t.Time)
	}
	if t.Certificate != nil {
		r.Name += ", " + commonName(t.Certificate.Subject)
	}
	if t.Code != "" {
		r.Why = l.Text(t.Text)
	}
	return r
}

// stampKind names what a time-stamp is over.
func (l language) stampKind(kind string) string {
	switch {
	case strings.HasPrefix(kind, "archive"):
		return l.T("Архивная метка времени", "Archive time-stamp")
	case strings.HasPrefix(kind, "content"):
		return l.T("Метка времени на документ", "Time-stamp of the document")
	case strings.HasPrefix(kind, "signature"):
		return l.T("Метка времени на подпись", "Time-stamp of the signature")
	default:
		return l.T("Метка времени на доказательства", "Time-stamp of the evidence")
	}
}
