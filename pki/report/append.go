package report

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the document as JSON on one line, with characters of HTML as they
// are: byte for byte what package encoding/json makes of it, in a small part of the
// time. A service that answers with thousands of verdicts a second would spend as much
// on the reflection as on the signatures.
func (d *Document) AppendJSON(b []byte) []byte {
	w := jsonWriter{b: b, known: written.Load()}
	w.open()
	w.verdict(d.Conclusion, d.SubIndication, string(d.Code), d.Text)
	list(&w, "signatures", d.Signatures, (*jsonWriter).signature)
	list(&w, "checks", d.Checks, (*jsonWriter).check)
	list(&w, "evidence", d.Evidence, (*jsonWriter).evidence)
	w.name("trust")
	w.trust(&d.Trust)
	w.text("policy", d.Policy)
	w.time("moment", d.Moment)
	w.time("verified_at", d.VerifiedAt)
	w.engine(&d.Engine)
	w.text("program", d.Program)
	w.text("program_version", d.ProgramVersion)
	w.texts("notice", &d.Notice)
	w.close()
	w.fresh.keep()
	return w.b
}

// jsonWriter writes JSON. Names are ours and need no escapes.
type jsonWriter struct {
	b     []byte
	known *fragments
	fresh fragments // that were not known when the document was begun

	issuers [4]writtenIssuer // the last ones that were written
	next    int              // which of them makes room
}

func (w *jsonWriter) open()  { w.b = append(w.b, '{') }
func (w *jsonWriter) close() { w.b = append(w.b, '}') }

// writtenIssuer is a name and where it stands in the document, with its quotes.
type writtenIssuer struct {
	name     string
	from, to int
}

// name begins a field.
func (w *jsonWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":`...)
}

// list writes a field with an array, which is null when the slice is nil.
func list[T any](w *jsonWriter, name string, items []T, write func(*jsonWriter, *T)) {
	w.name(name)
	if items == nil {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '[')
	for i := range items {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		write(w, &items[i])
	}
	w.b = append(w.b, ']')
}

// text writes a field that is always there.
func (w *jsonWriter) text(name, value string) {
	w.name(name)
	w.quote(value)
}

// some writes a field unless it is empty.
func (w *jsonWriter) some(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

// integer writes a field that is always there.
func (w *jsonWriter) integer(name string, n int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *jsonWriter) boolean(name string, value bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, value)
}

func (w *jsonWriter) time(name string, t time.Time) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = t.AppendFormat(w.b, time.RFC3339Nano)
	w.b = append(w.b, '"')
}

// someTime writes a field unless it is absent.
func (w *jsonWriter) someTime(name string, t *time.Time) {
	if t != nil {
		w.time(name, *t)
	}
}

// texts writes a field in two languages unless it is absent.
func (w *jsonWriter) texts(name string, t *Text) {
	if t == nil {
		return
	}
	w.name(name)
	if text, ok := w.known.text(*t); ok {
		w.b = append(w.b, text...)
		return
	}
	start := len(w.b)
	w.open()
	w.text("ru", t.RU)
	w.text("en", t.EN)
	w.close()
	w.fresh.add(*t, w.b[start:])
}

// verdict writes what documents begin with.
func (w *jsonWriter) verdict(conclusion, subIndication, code string, text Text) {
	w.text("conclusion", conclusion)
	w.some("sub_indication", subIndication)
	w.some("code", code)
	w.texts("text", &text)
}

func (w *jsonWriter) check(c *Check) {
	w.open()
	switch {
	case c.Step == nil: // as encoding/json has it
	case c.written != "":
		w.b = append(w.b, c.written...)
	default:
		w.step(c.Step)
	}
	w.some("detail", c.Detail)
	w.close()
}

func (w *jsonWriter) step(s *Step) {
	w.text("name", s.Name)
	w.text("status", s.Status.String())
	w.some("code", string(s.Code))
	w.texts("text", s.Text)
	w.texts("remedy", s.Remedy)
	w.some("cite", s.Cite)
}

func (w *jsonWriter) signature(s *Signature) {
	w.open()
	w.verdict(s.Conclusion, s.SubIndication, string(s.Code), s.Text)
	w.stateCode("state_code", s.StateCode)
	w.stateCode("state_code_mathematical", s.StateCodeMathematical)
	w.text("format", s.Format)
	w.text("level", s.Level)
	w.boolean("detached", s.Detached)
	w.identity("signer", s.Signer)
	w.certificate("signing_certificate", s.SigningCertificate)
	w.certificate("claimed_certificate", s.ClaimedCertificate)
	w.text("mathematical", s.Mathematical.String())
	w.text("certificate", s.Certificate.String())
	w.text("qualified", s.Qualified.String())
	w.someTime("claimed_signing_time", s.ClaimedSigningTime)
	w.someTime("proof_of_existence", s.ProofOfExistence)
	w.someTime("certificate_moment", s.CertificateMoment)
	list(w, "time_stamps", s.TimeStamps, (*jsonWriter).timeStamp)
	list(w, "counter_signatures", s.CounterSignatures, (*jsonWriter).signature)
	list(w, "additions", s.Additions, (*jsonWriter).check)
	w.some("signature_policy", s.SignaturePolicy)
	if len(s.UnsignedAttributes) > 0 {
		list(w, "unsigned_attributes", s.UnsignedAttributes, func(w *jsonWriter, s *string) { w.quote(*s) })
	}
	list(w, "checks", s.Checks, (*jsonWriter).check)
	w.close()
}

func (w *jsonWriter) timeStamp(t *TimeStamp) {
	w.open()
	w.text("kind", t.Kind)
	w.verdict(t.Conclusion, t.SubIndication, string(t.Code), t.Text)
	w.someTime("time", t.Time)
	w.certificate("certificate", t.Certificate)
	list(w, "checks", t.Checks, (*jsonWriter).check)
	w.close()
}

func (w *jsonWriter) stateCode(name string, s *StateCode) {
	if s == nil {
		return
	}
	w.name(name)
	w.open()
	w.integer("code", int64(s.Code))
	w.texts("text", &s.Text)
	w.texts("result", &s.Result)
	w.texts("certificate_status", s.CertificateStatus)
	w.close()
}

func (w *jsonWriter) identity(name string, who *Identity) {
	if who == nil {
		return
	}
	w.name(name)
	w.open()
	w.text("kind", string(who.Kind))
	w.texts("kind_text", &who.KindText)
	w.some("name", who.Name)
	w.some("organization", who.Organization)
	w.some("title", who.Title)
	w.some("email", who.Email)
	w.some("inn", who.INN)
	w.some("innle", who.INNLE)
	w.some("ogrn", who.OGRN)
	w.some("ogrnip", who.OGRNIP)
	w.some("snils", who.SNILS)
	w.close()
}

func (w *jsonWriter) certificate(name string, c *CertificateData) {
	if c == nil {
		return
	}
	w.name(name)
	w.open()
	w.text("subject", c.Subject)
	w.issuer(c.Issuer)
	w.text("serial", c.Serial)
	w.time("not_before", c.NotBefore)
	w.time("not_after", c.NotAfter)
	w.text("sha1", c.SHA1)
	w.text("sha256", c.SHA256)
	w.close()
}

// issuer writes the name of a CA. The same few come again and again in one document, and
// are long.
func (w *jsonWriter) issuer(name string) {
	w.name("issuer")
	for _, known := range w.issuers {
		if known.to > 0 && known.name == name {
			w.b = append(w.b, w.b[known.from:known.to]...)
			return
		}
	}
	from := len(w.b)
	w.quote(name)
	w.issuers[w.next] = writtenIssuer{name, from, len(w.b)}
	w.next = (w.next + 1) % len(w.issuers)
}

func (w *jsonWriter) evidence(e *Evidence) {
	w.open()
	w.text("role", e.Role)
	w.text("digest", e.Digest)
	w.text("algorithm", e.Algorithm)
	if e.Issuer != "" {
		w.issuer(e.Issuer)
	}
	w.some("source", e.Source)
	if e.Version != 0 {
		w.integer("version", int64(e.Version))
	}
	w.someTime("this_update", e.ThisUpdate)
	w.someTime("next_update", e.NextUpdate)
	w.close()
}

func (w *jsonWriter) engine(e *Engine) {
	w.name("engine")
	w.open()
	w.text("name", e.Name)
	w.some("module", e.Module)
	w.some("version", e.Version)
	if e.Fallback {
		w.boolean("fallback", true)
	}
	w.close()
}

func (w *jsonWriter) trust(t *Trust) {
	w.open()
	w.some("id", t.ID)
	if t.ListVersion != 0 {
		w.integer("list_version", int64(t.ListVersion))
	}
	w.someTime("list_date", t.ListDate)
	w.someTime("loaded_at", t.LoadedAt)
	w.integer("age_seconds", t.AgeSeconds)
	if t.ListAgeSeconds != 0 {
		w.integer("list_age_seconds", t.ListAgeSeconds)
	}
	w.close()
}

// quote writes a string: RFC 8259, Section 7. Bytes that are not UTF-8 become U+FFFD,
// and U+2028 and U+2029 are escaped, as encoding/json does both.
func (w *jsonWriter) quote(s string) {
	w.b = append(w.b, '"')
	start := 0
	for i := usual(s); i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			// Letters of Cyrillic are the rule.
			if c&0xfe == 0xd0 && i+1 < len(s) && s[i+1]&0xc0 == 0x80 {
				i += 2
				continue
			}
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
				w.b = append(w.b, s[start:i]...)
				w.escape(r)
				start = i + size
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			w.b = append(w.b, s[start:i]...)
			w.escape(rune(c))
			start = i + 1
		}
		i++
	}
	w.b = append(w.b, s[start:]...)
	w.b = append(w.b, '"')
}

// usual returns how many bytes at the beginning of s are of ASCII and need no escapes,
// looking at eight at a time; it may return less than there are.
func usual(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(s); n += 8 {
		v := uint64(s[n]) | uint64(s[n+1])<<8 | uint64(s[n+2])<<16 | uint64(s[n+3])<<24 |
			uint64(s[n+4])<<32 | uint64(s[n+5])<<40 | uint64(s[n+6])<<48 | uint64(s[n+7])<<56
		// A byte is zero in q or in b where it is a quote or a backslash. Subtracting
		// sets the high bit of the first byte that is too small.
		q, b := v^ones*'"', v^ones*'\\'
		if (v|(v-ones*' ')|(q-ones)|(b-ones))&highs != 0 {
			break
		}
	}
	return n
}

// escape writes one character as an escape.
func (w *jsonWriter) escape(r rune) {
	const digits = "0123456789abcdef"
	switch r {
	case '"', '\\':
		w.b = append(w.b, '\\', byte(r))
	case '\b':
		w.b = append(w.b, '\\', 'b')
	case '\f':
		w.b = append(w.b, '\\', 'f')
	case '\n':
		w.b = append(w.b, '\\', 'n')
	case '\r':
		w.b = append(w.b, '\\', 'r')
	case '\t':
		w.b = append(w.b, '\\', 't')
	default:
		w.b = append(w.b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
	}
}
