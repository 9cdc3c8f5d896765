// Package report writes the verdict document: what the judgement of package
// validate says, as JSON with texts in Russian and English. The command line and
// the HTTP service answer with the same document.
//
// Fields that a passed verdict alone may fill (signer, holder) are absent from
// any other document. What a certificate merely says about itself is given under
// names of its own (claimed_certificate, claims), so that nobody takes it for an
// identity by mistake.
package report

import (
	"slices"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// Conclusions of ETSI EN 319 102-1, Section 5.1.3.
const (
	TotalPassed   = "TOTAL-PASSED"
	TotalFailed   = "TOTAL-FAILED"
	Indeterminate = "INDETERMINATE"
)

// Conclude returns the conclusion for a status.
func Conclude(s verdict.Status) string {
	switch s {
	case verdict.Passed:
		return TotalPassed
	case verdict.Failed:
		return TotalFailed
	default:
		return Indeterminate
	}
}

// Text is one text in two languages.
type Text struct {
	RU string `json:"ru"` // for the person at the screen
	EN string `json:"en"` // for operators and integrators
}

// Document is the verdict on a file with signatures.
type Document struct {
	Conclusion    string      `json:"conclusion"`
	SubIndication string      `json:"sub_indication,omitempty"` // ETSI EN 319 102-1, Table 6; absent if passed
	Code          reason.Code `json:"code,omitempty"`           // of the first thing that is wrong; absent if passed
	Text          Text        `json:"text"`

	// Signatures has one element for each signer; it is empty, never null, when
	// the file could not be read.
	Signatures []Signature `json:"signatures"`
	// Checks is about the file as a whole.
	Checks []Check `json:"checks"`
	// Evidence is all that the verdict rests on, by digest.
	Evidence []Evidence `json:"evidence"`

	Context
}

// Signature is the verdict on one signer. Mathematical, Certificate and Qualified
// are the three parts that people ask about; the conclusion needs all that the
// policy demands.
type Signature struct {
	Conclusion    string      `json:"conclusion"`
	SubIndication string      `json:"sub_indication,omitempty"`
	Code          reason.Code `json:"code,omitempty"`
	Text          Text        `json:"text"`
	// StateCode is absent while the conclusion is INDETERMINATE: the state service
	// has no code for that.
	StateCode *StateCode `json:"state_code,omitempty"`
	// StateCodeMathematical is what the state service answers when it is asked about
	// the mathematics alone (verifySignatureOnly).
	StateCodeMathematical *StateCode `json:"state_code_mathematical,omitempty"`

	Format   string `json:"format"`   // "CMS", "CAdES"
	Level    string `json:"level"`    // "CMS", "CAdES-BES"
	Detached bool   `json:"detached"` // the document is apart from the signature

	// Signer is who signed. It is there only if the conclusion is TOTAL-PASSED.
	Signer *Identity `json:"signer,omitempty"`
	// SigningCertificate is the certificate of that signer, under the same
	// condition.
	SigningCertificate *CertificateData `json:"signing_certificate,omitempty"`
	// ClaimedCertificate is the certificate that a signature names which did not
	// pass. It says nothing about who signed.
	ClaimedCertificate *CertificateData `json:"claimed_certificate,omitempty"`

	// Mathematical says whether the signature fits the document and the key.
	Mathematical verdict.Status `json:"mathematical"`
	// Certificate says whether the certificate is good: chain, dates,
	// accreditation, revocation. It is indeterminate when the mathematics failed
	// and the certificate was not looked at.
	Certificate verdict.Status `json:"certificate"`
	// Qualified says whether the certificate is a qualified one: accreditation
	// and the rules of 63-ФЗ, ст. 17.
	Qualified verdict.Status `json:"qualified"`

	// ClaimedSigningTime is what the signer's own clock said. It is evidence of
	// nothing.
	ClaimedSigningTime *time.Time `json:"claimed_signing_time,omitempty"`
	// ProofOfExistence is the earliest moment at which the signature is proven to
	// have existed, by a time-stamp that was verified to the end; absent if none
	// was.
	ProofOfExistence *time.Time `json:"proof_of_existence,omitempty"`
	// CertificateMoment is the moment for which the certificate was judged: that of
	// the proof, else the one asked about; absent if the certificate was not judged.
	CertificateMoment *time.Time `json:"certificate_moment,omitempty"`
	// TimeStamps and CounterSignatures are never null.
	TimeStamps        []TimeStamp `json:"time_stamps"`
	CounterSignatures []Signature `json:"counter_signatures"`
	// Additions is about what anybody may add to a signature: whether it can be
	// read and fits. It is never null and says nothing about the signature itself.
	Additions []Check `json:"additions"`
	// SignaturePolicy is the policy that the signer named (EPES): its OID, or
	// "implied".
	SignaturePolicy string `json:"signature_policy,omitempty"`
	// UnsignedAttributes are the types of all attributes that the signer did not
	// sign, whether they were judged or not.
	UnsignedAttributes []string `json:"unsigned_attributes,omitempty"`

	Checks []Check `json:"checks"`
}

// TimeStamp is the verdict on one time-stamp of a signature.
type TimeStamp struct {
	Kind          string           `json:"kind"` // "signature", "archive", …
	Conclusion    string           `json:"conclusion"`
	SubIndication string           `json:"sub_indication,omitempty"`
	Code          reason.Code      `json:"code,omitempty"`
	Text          Text             `json:"text"`
	Time          *time.Time       `json:"time,omitempty"`        // what it says, proven only if the conclusion is TOTAL-PASSED
	Certificate   *CertificateData `json:"certificate,omitempty"` // of the service that made it
	Checks        []Check          `json:"checks"`
}

// Context is what a judgement rests on.
type Context struct {
	Trust  Trust  `json:"trust"`
	Policy string `json:"policy"`
	// Moment is the time for which the judgement holds.
	Moment time.Time `json:"moment"`
	// VerifiedAt is when the judgement was made.
	VerifiedAt time.Time `json:"verified_at"`
	// Engine says what computed the signatures.
	Engine Engine `json:"engine"`
	// Program is what did everything else, and ProgramVersion from which source it was
	// built.
	Program        string `json:"program"`
	ProgramVersion string `json:"program_version"`
	// Notice says what the law thinks of that engine.
	Notice Text `json:"notice"`
}

// Trust says with which trust data a judgement was made.
type Trust struct {
	ID          string     `json:"id,omitempty"`
	ListVersion int        `json:"list_version,omitempty"` // «Версия»
	ListDate    *time.Time `json:"list_date,omitempty"`    // «Дата»
	LoadedAt    *time.Time `json:"loaded_at,omitempty"`
	// AgeSeconds is how long before the verification the data were read, and
	// ListAgeSeconds how long before it the list was published. They are not below
	// zero.
	AgeSeconds     int64 `json:"age_seconds"`
	ListAgeSeconds int64 `json:"list_age_seconds,omitempty"`
}

// Signatures makes the document about a file with signatures; now is the moment
// of the verification.
func Signatures(r validate.Report, t validate.Trust, now time.Time) *Document {
	total := r.Verdict()
	d := &Document{
		Conclusion:    Conclude(total.Status()),
		SubIndication: SubIndication(total),
		Code:          total.Why(),
		Text:          conclusionText(total, signatureSentences()),
		Signatures:    make([]Signature, 0, len(r.Signatures)),
		Checks:        checks(len(r.Checks), slices.Values(r.Checks)),
		Context:       newContext(t, r.Policy, r.Engine, r.At, now),
	}
	var k collector
	k.file(r.File)
	for _, s := range r.Signatures {
		one := signature(s)
		one.Detached = r.File != nil && r.File.Detached
		d.Signatures = append(d.Signatures, one)
		k.signature(s)
	}
	k.rules(t, r.Demands)
	d.Evidence = k.done()
	return d
}

// signature makes the document about one signer.
func signature(s validate.Signature) Signature {
	out := Signature{
		Conclusion:    Conclude(s.Verdict.Status()),
		SubIndication: SubIndication(s.Verdict),
		Code:          s.Verdict.Why(),
		Text:          conclusionText(s.Verdict, signatureSentences()),
		StateCode:     signatureCode(s),
		Format:        formatOf(s),
		Level:         string(s.Level),
		Mathematical:  s.Mathematical.Status(),
		Certificate:   s.Certificate.Verdict.Status(),
		Qualified:     s.Certificate.Qualified.Status(),
		Checks:        checksOf(s.Verdict),

		StateCodeMathematical: mathematicalCode(s),
		ProofOfExistence:      instant(s.ProofOfExistence.UTC()),
		CertificateMoment:     instant(s.Certificate.At.UTC()),
		TimeStamps:            make([]TimeStamp, 0, len(s.TimeStamps)),
		CounterSignatures:     make([]Signature, 0, len(s.CounterSignatures)),
		Additions:             checksOf(s.Additions),
	}
	for _, one := range s.TimeStamps {
		out.TimeStamps = append(out.TimeStamps, timeStamp(one))
	}
	for _, one := range s.CounterSignatures {
		counter := signature(one)
		counter.Detached = true // it is over the value of a signature, which is elsewhere
		out.CounterSignatures = append(out.CounterSignatures, counter)
	}
	if s.Policy != nil {
		out.SignaturePolicy = "implied"
		if !s.Policy.Implied {
			out.SignaturePolicy = s.Policy.ID.String()
		}
	}
	if who, ok := s.Verdict.Identity(); ok {
		out.Signer = NewIdentity(who)
		out.SigningCertificate = certificateData(s.Claimed)
	} else {
		out.ClaimedCertificate = certificateData(s.Claimed)
	}
	if s.Signer != nil {
		if t, ok := s.Signer.SigningTime(); ok {
			out.ClaimedSigningTime = &t
		}
		for _, a := range s.Signer.UnsignedAttrs {
			out.UnsignedAttributes = append(out.UnsignedAttributes, a.Type.String())
		}
	}
	return out
}

// timeStamp makes the document about one time-stamp.
func timeStamp(t validate.TimeStamp) TimeStamp {
	return TimeStamp{
		Kind:          string(t.Kind),
		Conclusion:    Conclude(t.Verdict.Status()),
		SubIndication: SubIndication(t.Verdict),
		Code:          t.Verdict.Why(),
		Text:          conclusionText(t.Verdict, timeStampSentences()),
		Time:          instant(t.Time.UTC()),
		Certificate:   certificateData(t.Claimed),
		Checks:        checksOf(t.Verdict),
	}
}

// newContext makes the context of a judgement.
func newContext(t validate.Trust, policy string, engine sigalg.Use, at, now time.Time) Context {
	c := Context{
		Trust:          Trust{ID: t.ID},
		Policy:         policy,
		Moment:         at.UTC(),
		VerifiedAt:     now.UTC(),
		Engine:         engineOf(engine),
		Program:        "propusk",
		ProgramVersion: programVersion(),
		Notice:         notice(engine),
	}
	if !t.LoadedAt.IsZero() {
		loaded := t.LoadedAt.UTC()
		c.Trust.LoadedAt, c.Trust.AgeSeconds = &loaded, age(loaded, now)
	}
	if t.Accredited != nil {
		date := t.Accredited.Date()
		c.Trust.ListVersion, c.Trust.ListDate = t.Accredited.Version(), &date
		c.Trust.ListAgeSeconds = age(date, now)
	}
	return c
}

// age is how many whole seconds lie between two moments; at least zero.
func age(since, now time.Time) int64 { return max(0, int64(now.Sub(since)/time.Second)) }

// Identity is a person or an organization in the clear. It belongs into the
// answer to whom the answer is due, and nowhere else: it prints as nothing, so
// that it does not get into a log.
type Identity struct {
	Kind         person.Kind `json:"kind"` // "ip", "ul", "ul-auto", "fl", "ca", "other"
	KindText     Text        `json:"kind_text"`
	Name         string      `json:"name,omitempty"`
	Organization string      `json:"organization,omitempty"`
	Title        string      `json:"title,omitempty"`
	Email        string      `json:"email,omitempty"`
	INN          string      `json:"inn,omitempty"`    // 12 digits, of the natural person
	INNLE        string      `json:"innle,omitempty"`  // 10 digits, of the legal entity
	OGRN         string      `json:"ogrn,omitempty"`   // 13 digits
	OGRNIP       string      `json:"ogrnip,omitempty"` // 15 digits
	SNILS        string      `json:"snils,omitempty"`  // 11 digits
}

// NewIdentity reveals an identity.
func NewIdentity(who person.Identity) *Identity {
	ru, en := who.Kind.Text()
	return &Identity{
		Kind:         who.Kind,
		KindText:     Text{RU: ru, EN: en},
		Name:         who.Name.Reveal(),
		Organization: who.Organization.Reveal(),
		Title:        who.Title.Reveal(),
		Email:        who.Email.Reveal(),
		INN:          who.INN.Reveal(),
		INNLE:        who.INNLE.Reveal(),
		OGRN:         who.OGRN.Reveal(),
		OGRNIP:       who.OGRNIP.Reveal(),
		SNILS:        who.SNILS.Reveal(),
	}
}

// String implements fmt.Stringer and reveals nothing.
func (Identity) String() string { return "identity" }

// GoString implements fmt.GoStringer and reveals nothing.
func (Identity) GoString() string { return "report.Identity{…}" }
