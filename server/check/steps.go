package check

import (
	"slices"

	"propusk/pki/reason"
	"propusk/server/page"
)

// Mark is how a step stands.
type Mark string

// The marks.
const (
	MarkNone Mark = "none" // not tried yet
	MarkGood Mark = "good"
	MarkWarn Mark = "warn" // something to know; signing in is possible all the same
	MarkBad  Mark = "bad"
)

// Step is one of the seven conditions of the check page, in the order of DOMAIN 7.1: the
// certificate is looked at before the protected connection, so that what is wrong with it
// is said before a browser hides it behind an error of its own.
type Step struct {
	Number   int
	Title    page.Text
	Mark     Mark
	Findings []Finding
}

// Finding is something that was found at a step: a row of the table, or a reason of the
// catalogue that no row is about.
type Finding struct {
	// Row is the ID of the row; empty of a reason, whose Code is set then.
	Row    string
	Code   reason.Code
	Cause  page.Text
	Action []page.Text
}

// The steps.
const (
	stepComputer = 1 + iota
	stepBrowser
	stepCookies
	stepSigner
	stepChain
	stepKey
	stepServer
	lastStep = stepServer
)

// Words of facts.
const (
	kindGOST     = "gost"
	kindOrdinary = "ordinary"
	kindNone     = "none"
	cookiesOn    = "on"
	cookiesOff   = "off"
)

// Diagnosis is what the facts come to.
type Diagnosis struct {
	Steps []Step
	// Ready tells that the person can sign in: nothing is in the way of one of the ways.
	Ready bool
}

// Diagnose says by the rows how each step stands.
func Diagnose(rows []Row, f *Facts) Diagnosis {
	d := Diagnosis{Steps: make([]Step, lastStep)}
	for i := range d.Steps {
		d.Steps[i] = Step{Number: i + 1, Title: titles()[i], Mark: MarkNone}
	}
	warnings := make([]bool, lastStep+1) // steps whose findings are all warnings
	for i := range warnings {
		warnings[i] = true
	}
	told := make(map[int]bool)
	for _, row := range rows {
		if row.Step == 0 || row.Detected == nil || !row.Detected(f) || f.needless(row.ID) {
			continue
		}
		s := &d.Steps[row.Step-1]
		s.Findings = append(s.Findings, Finding{Row: row.ID, Cause: row.Cause, Action: row.Action})
		told[row.Step] = true
		warnings[row.Step] = warnings[row.Step] && row.Warning
	}
	if found, ok := unnamed(rows, f); ok {
		s := &d.Steps[stepKey-1]
		s.Findings = append(s.Findings, found)
		told[stepKey], warnings[stepKey] = true, false
	}
	if f.Entrance != nil && f.Entrance.Code == reason.GOSTTLSRequired {
		s := &d.Steps[stepServer-1]
		s.Findings = append(s.Findings, findingOf(reason.GOSTTLSRequired))
		told[stepServer], warnings[stepServer] = true, false
	}
	for i := range d.Steps {
		s := &d.Steps[i]
		switch {
		case told[s.Number] && !warnings[s.Number]:
			s.Mark = MarkBad
		case told[s.Number]:
			s.Mark = MarkWarn
		case tried(s.Number, f):
			s.Mark = MarkGood
		}
	}
	d.forgive(f)
	return d
}

// titles are those of the steps.
func titles() []page.Text {
	return []page.Text{
		{RU: "Компьютер: дата и время", EN: "The computer: date and time"},
		{RU: "Браузер: шифрование по ГОСТ", EN: "The browser: GOST encryption"},
		{RU: "Cookie включены", EN: "Cookies are on"},
		{RU: "Программа подписи и носитель ключа", EN: "The signing program and the token"},
		{RU: "Сертификаты удостоверяющих центров", EN: "The certificates of the authorities"},
		{RU: "Личный сертификат и пробная подпись", EN: "Your certificate and a test signature"},
		{RU: "Защищённое соединение с сервером входа", EN: "The protected connection with the sign-in server"},
	}
}

// tried reports whether a step was gone through; it is good then, unless a row says
// otherwise.
func tried(step int, f *Facts) bool {
	switch step {
	case stepComputer:
		return f.Skew != nil
	case stepBrowser:
		return f.gost()
	case stepCookies:
		return f.Cookies == cookiesOn
	case stepSigner:
		return f.Agent != nil || f.pluginWorks() || f.Signature != nil
	case stepChain:
		return f.holder() != nil && len(f.holder().Chain) > 0
	case stepKey:
		return f.Signature != nil && f.Signature.Code == "" || f.Entrance != nil && f.Entrance.Code == ""
	default:
		return f.Entrance != nil && f.Entrance.Kind != ""
	}
}

// unnamed is why a certificate was refused, when no row of the table is about that.
func unnamed(rows []Row, f *Facts) (Finding, bool) {
	for _, h := range []*Holder{f.Signature, f.Entrance} {
		if h == nil || h.Code == "" || h.Code == reason.GOSTTLSRequired || h.Code == reason.NoCertificate {
			continue
		}
		alone := &Facts{Signature: h}
		if slices.ContainsFunc(rows, func(r Row) bool { return r.Detected != nil && r.Detected(alone) }) {
			continue
		}
		return findingOf(h.Code), true
	}
	return Finding{}, false
}

// findingOf tells a reason by the sentences of the catalogue.
func findingOf(code reason.Code) Finding {
	e, ok := reason.Lookup(code)
	if !ok {
		e, _ = reason.Lookup(reason.InternalError)
	}
	var cause, action page.Text
	cause.RU, cause.EN = e.What()
	action.RU, action.EN = e.Remedy()
	return Finding{Code: e.Code, Cause: cause, Action: []page.Text{action}}
}

// forgive makes warnings of what is in the way of one way to sign in, when another is free:
// nobody needs GOST TLS who signs, nor a signing program who has GOST TLS.
func (d *Diagnosis) forgive(f *Facts) {
	mark := func(step int) Mark { return d.Steps[step-1].Mark }
	byTLS := f.gost() && f.Entrance != nil && f.Entrance.Code == ""
	bySignature := f.Signature != nil && f.Signature.Code == ""
	soften := func(steps ...int) {
		for _, s := range steps {
			if mark(s) == MarkBad {
				d.Steps[s-1].Mark = MarkWarn
			}
		}
	}
	if mark(stepSigner) != MarkBad {
		d.noGOST(f)
	}
	if bySignature {
		soften(stepBrowser, stepSigner)
		if f.Entrance == nil || f.Entrance.Kind == "" { // it was not the certificate
			soften(stepServer)
		}
	}
	if byTLS {
		soften(stepSigner)
	}
	if byTLS || bySignature { // the chain was built; what is missing is missing there
		soften(stepChain)
	}
	d.Ready = (byTLS || bySignature) && f.Cookies == cookiesOn &&
		!slices.ContainsFunc(d.Steps, func(s Step) bool { return s.Mark == MarkBad })
}

// noGOST makes notes of it that a browser has no GOST TLS, for whoever has a program at hand
// that signs: that is his way, and there is nothing to set right.
func (d *Diagnosis) noGOST(f *Facts) {
	advice, ok := f.signsWith()
	if !ok {
		return
	}
	harmless := func(found Finding) bool {
		return slices.Contains([]string{"1", "7"}, found.Row) || found.Code == reason.GOSTTLSRequired
	}
	for _, n := range []int{stepBrowser, stepServer} {
		s := &d.Steps[n-1]
		if s.Mark != MarkBad || slices.ContainsFunc(s.Findings, func(found Finding) bool { return !harmless(found) }) {
			continue // who stands between is in the way of every program, and an old provider may be
		}
		s.Mark = MarkWarn
		for i := range s.Findings {
			s.Findings[i].Action = []page.Text{advice}
		}
	}
}

// signsWith says by which program at hand a person can sign in without GOST TLS, if the
// gateway takes its signatures.
func (f *Facts) signsWith() (advice page.Text, ok bool) {
	switch {
	case f.offers(string(page.MethodAgent)) && f.Agent != nil && f.Agent.Gateway == gatewayOK:
		return page.Text{
			RU: "Исправлять это не нужно: в этом браузере входите через «Пропуск-агент».",
			EN: "There is nothing to set right: in this browser, sign in with propusk-agent.",
		}, true
	case f.offers(string(page.MethodPlugin)) && f.pluginWorks():
		return page.Text{
			RU: "Исправлять это не нужно: в этом браузере входите через плагин.",
			EN: "There is nothing to set right: in this browser, sign in with the plug-in.",
		}, true
	}
	return page.Text{}, false
}

// needless reports whether a row is about a program that nobody needs: one that signs is
// enough.
func (f *Facts) needless(row string) bool {
	return slices.Contains([]string{"18", "A1", "A4"}, row) && (f.pluginWorks() || f.Agent != nil && len(f.Agent.Tokens) > 0)
}
