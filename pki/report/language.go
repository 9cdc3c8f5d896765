package report

import (
	"fmt"
	"strings"
	"time"

	"propusk/pki/verdict"
)

// language is what a page is written in; its methods are for templates.
type language struct{ Lang string }

func newLanguage(lang string) language {
	if lang != English {
		lang = Russian
	}
	return language{lang}
}

// T chooses one of two texts.
func (l language) T(ru, en string) string {
	if l.Lang == English {
		return en
	}
	return ru
}

// Text chooses the text of this language.
func (l language) Text(t Text) string { return l.T(t.RU, t.EN) }

// moscow is the offset of Moscow since 2014. It is printed beside every time, so
// that earlier times are right too.
var moscow = time.FixedZone("MSK", 3*60*60)

// Moment writes a moment in the time of Moscow.
func (l language) Moment(t time.Time) string {
	return t.In(moscow).Format(l.T("02.01.2006 15:04:05", "2006-01-02 15:04:05")) + l.T(" МСК (UTC+3)", " MSK (UTC+3)")
}

// Day writes the calendar day in Moscow.
func (l language) Day(t time.Time) string {
	return t.In(moscow).Format(l.T("02.01.2006", time.DateOnly))
}

// Age writes a span of time in its largest whole unit.
func (l language) Age(seconds int64) string {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	switch {
	case seconds >= 2*day:
		return fmt.Sprintf("%d %s", seconds/day, l.T("сут.", "days"))
	case seconds >= 2*hour:
		return fmt.Sprintf("%d %s", seconds/hour, l.T("ч", "hours"))
	case seconds >= 2*minute:
		return fmt.Sprintf("%d %s", seconds/minute, l.T("мин", "minutes"))
	default:
		return fmt.Sprintf("%d %s", seconds, l.T("с", "seconds"))
	}
}

// Role names a role of evidence.
func (l language) Role(role string) string {
	names := map[string]Text{
		RoleSignature:   {"файл подписи", "signature file"},
		RoleValue:       {"значение подписи", "value of a signature"},
		RoleDocument:    {"документ", "document"},
		RoleCertificate: {"сертификат", "certificate"},
		RoleTimeStamp:   {"метка времени", "time-stamp"},
		RoleCRL:         {"список отозванных сертификатов", "revocation list"},
		RoleOCSP:        {"ответ службы OCSP", "OCSP answer"},
		RoleList:        {"перечень аккредитованных УЦ", "list of accredited CAs"},
		RolePolicy:      {"порядок проверки", "policy"},
	}
	if name, ok := names[role]; ok {
		return l.Text(name)
	}
	return role
}

// Algorithm names a digest algorithm.
func (l language) Algorithm(name string) string {
	switch name {
	case "gost3411-2012-256":
		return l.T("ГОСТ Р 34.11-2012, 256 бит", "GOST R 34.11-2012, 256 bits")
	case "gost3411-2012-512":
		return l.T("ГОСТ Р 34.11-2012, 512 бит", "GOST R 34.11-2012, 512 bits")
	case "gost3411-94":
		return l.T("ГОСТ Р 34.11-94", "GOST R 34.11-94")
	default:
		return strings.ToUpper(name)
	}
}

// look is the colour and the symbol of an outcome. The symbol and a word stand
// beside the colour always: not everybody sees it, and printers may not have it.
type look struct{ Tone, Mark string }

func lookOf(s verdict.Status) look {
	switch s {
	case verdict.Passed:
		return look{"good", "✓"}
	case verdict.Failed:
		return look{"bad", "✕"}
	case verdict.NotApplicable:
		return look{"none", "–"}
	default:
		return look{"unsure", "?"}
	}
}

// statusOf is the status behind a conclusion.
func statusOf(conclusion string) verdict.Status {
	switch conclusion {
	case TotalPassed:
		return verdict.Passed
	case TotalFailed:
		return verdict.Failed
	default:
		return verdict.Indeterminate
	}
}

// outcome says a status of a check in one word.
func (l language) outcome(s verdict.Status) string {
	switch s {
	case verdict.Passed:
		return l.T("выполнено", "yes")
	case verdict.Failed:
		return l.T("не выполнено", "no")
	case verdict.NotApplicable:
		return l.T("не относится", "does not apply")
	default:
		return l.T("неизвестно", "unknown")
	}
}

// result says a status of a part of the verdict in one word.
func (l language) result(s verdict.Status) string {
	switch s {
	case verdict.Passed:
		return l.T("подтверждено", "confirmed")
	case verdict.Failed:
		return l.T("не подтверждено", "not confirmed")
	default:
		return l.T("не проверено до конца", "not decided")
	}
}
