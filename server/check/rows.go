package check

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"propusk/pki/reason"
	"propusk/server/page"
)

//go:embed rows.json
var rowsFile []byte

// Row is a row of the failure table (DOMAIN 7.4): what people see, why it is so, and what to
// do. Rows whose ID begins with A are of today and have no number there.
type Row struct {
	ID string
	// Step is the condition that fails; 0 of a row that has nothing to do with this page.
	Step int
	// Warning tells that nothing fails by it yet.
	Warning bool
	Symptom page.Text
	Cause   page.Text
	Action  []page.Text
	// Messages are parts of messages by which the row is known, in lower case.
	Messages []string
	// Detected tells by the facts whether the row is what happens; nil if no fact tells.
	Detected func(*Facts) bool
}

// text and rowFile are the form of rows.json.
type (
	text struct {
		RU string `json:"ru"`
		EN string `json:"en"`
	}
	rowFile struct {
		ID       string   `json:"id"`
		Step     int      `json:"step"`
		Warning  bool     `json:"warning"`
		Symptom  text     `json:"symptom"`
		Cause    text     `json:"cause"`
		Action   []text   `json:"action"`
		Messages []string `json:"messages"`
	}
)

// Rows returns the failure table. The error is a mistake in rows.json.
func Rows() ([]Row, error) {
	var file []rowFile
	d := json.NewDecoder(bytes.NewReader(rowsFile))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("check: rows.json: %w", err)
	}
	detectors := detectors()
	rows := make([]Row, len(file))
	for i, f := range file {
		rows[i] = Row{
			ID: f.ID, Step: f.Step, Warning: f.Warning, Symptom: page.Text(f.Symptom), Cause: page.Text(f.Cause),
			Messages: f.Messages, Detected: detectors[f.ID],
		}
		for _, a := range f.Action {
			rows[i].Action = append(rows[i].Action, page.Text(a))
		}
		delete(detectors, f.ID)
	}
	for id := range detectors {
		return nil, fmt.Errorf("check: rows.json has no row %s", id)
	}
	return rows, nil
}

// detectors tell by the facts which rows are what happens, by their IDs.
func detectors() map[string]func(*Facts) bool {
	all := make(map[string]func(*Facts) bool)
	for _, part := range []map[string]func(*Facts) bool{ofConnection(), ofSigner(), ofCertificate()} {
		for id, f := range part {
			all[id] = f
		}
	}
	return all
}

// Limits of what is normal.
const (
	maxClock   = 5 * 60 // seconds; tickets and signatures allow twice that
	manyOld    = 5      // expired certificates
	goodPlugin = "2.0.13771"
	oldestCSP  = "5.0"
)

func ofConnection() map[string]func(*Facts) bool {
	return map[string]func(*Facts) bool{
		"1": func(f *Facts) bool {
			return f.ordinary() && !f.Hello.Offered && !f.intercepted() || !f.reached() && f.noSuite(false)
		},
		"2": func(f *Facts) bool {
			p, ok := f.plugin(pluginCryptoPro)
			return ok && p.CSP != "" && before(p.CSP, oldestCSP) && !f.gost()
		},
		"3": func(f *Facts) bool {
			p, ok := f.plugin(pluginCryptoPro)
			return ok && !f.gost() && (build(p.CSP, "5.0.12600") || build(p.CSP, "5.0.13000"))
		},
		"4": func(f *Facts) bool {
			return f.Entrance == nil && (f.refused(hostSignIn, WhyKey) || f.refused(hostSignIn, WhyBroken) && slices.Contains(f.Missed, hostSignIn))
		},
		"5": func(f *Facts) bool { return f.Entrance != nil && f.Entrance.Code == reason.NoCertificate },
		// A browser that knows GOST has looked at the server, and another connection came, or none.
		"7":  func(f *Facts) bool { return !f.gost() && (f.refusedGOST() || f.ordinary() && f.Hello.Offered) },
		"30": func(f *Facts) bool { return f.intercepted() || f.Agent != nil && f.Agent.Gateway == gatewayUntrusted },
		"31": func(f *Facts) bool {
			for _, host := range f.Missed {
				if !f.came(host) {
					return true
				}
			}
			return false
		},
		"33": func(f *Facts) bool { return f.Cookies == cookiesOff },
		// Who offers GOST and has nothing in common with us knows the numbers of before RFC 9189.
		// Who has reached us knows better: it was somebody else of the same address.
		"34": func(f *Facts) bool { return !f.reached() && (f.refused("", WhyOldVersion) || f.noSuite(true)) },
		"36": func(f *Facts) bool { return f.Skew != nil && (*f.Skew > maxClock || *f.Skew < -maxClock) },
		"A2": func(f *Facts) bool { return !f.reached() && f.refused("", WhyDistrust) },
	}
}

func ofSigner() map[string]func(*Facts) bool {
	return map[string]func(*Facts) bool{
		"16": func(f *Facts) bool {
			p, ok := f.plugin(pluginCryptoPro)
			return ok && p.Version != "" && before(p.Version, goodPlugin)
		},
		"18": func(f *Facts) bool {
			return f.PluginsAsked && f.offers("plugin") && !f.pluginWorks() && !f.half() || f.refusedPlugin()
		},
		"19": (*Facts).nothingToSignWith,
		"20": func(f *Facts) bool {
			return f.plugins(func(p Plugin) bool { return p.Keyless > 0 && p.Keyless == p.Certificates })
		},
		"26": func(f *Facts) bool {
			return f.tokens(func(t Token) bool { return oneOf(t.PIN, pinLocked, pinLow, pinLast) }) > 0
		},
		"27": func(f *Facts) bool { return f.Agent != nil && len(f.Agent.Tokens) == 0 && f.Agent.UEC <= 0 },
		"29": func(f *Facts) bool { return f.expired() >= manyOld },
		"43": func(f *Facts) bool { return f.Agent != nil && f.Agent.UEC > 0 },
		"A1": func(f *Facts) bool { return f.AgentAsked && f.offers("agent") && f.Agent == nil },
		"A3": func(f *Facts) bool { return f.Agent != nil && f.Agent.Broken > 0 },
		"A5": func(f *Facts) bool { return f.Agent != nil && f.Agent.Gateway == gatewayUnreachable },
		"A6": func(f *Facts) bool {
			return f.tokens(func(t Token) bool { return oneOf(t.PIN, pinUnset, pinMustChange) }) > 0
		},
		"A4": func(f *Facts) bool { return f.PluginsAsked && f.half() && !f.pluginWorks() },
	}
}

func ofCertificate() map[string]func(*Facts) bool {
	all := map[string]func(*Facts) bool{
		"10": func(f *Facts) bool {
			return f.refusedFor(reason.UnknownCA) || f.Entrance != nil && f.Entrance.broken()
		},
		"44": func(f *Facts) bool {
			another := f.Entrance != nil && f.Entrance.Kind != "" // was shown since
			return f.refusedFor(reason.KeyNotGOST2012) || f.refused(hostSignIn, WhyOldKey) && !another
		},
		"24": func(f *Facts) bool {
			s, e := f.Signature, f.Entrance
			return s != nil && e != nil && s.inn != e.inn && s.Kind != "" && e.Kind != ""
		},
	}
	for id, codes := range map[string][]reason.Code{
		"9":  {reason.WrongHolderKind},
		"13": {reason.KeyPeriodOver},
		"21": {reason.CertExpired, reason.CertNotYetValid, reason.CertRevoked, reason.CertOnHold},
		"22": {reason.CANotAccredited, reason.CANotListed},
		"23": {reason.IssuerNotFNS},
		"42": {reason.PersonINNMissing},
		"45": {reason.RevocationUnreachable, reason.RevocationUnknown, reason.RevocationStale, reason.RevocationUnusable},
	} {
		all[id] = func(f *Facts) bool { return f.refusedFor(codes...) }
	}
	return all
}

func (f *Facts) ordinary() bool { return f.Hello != nil && f.Hello.Kind == kindOrdinary }
func (f *Facts) gost() bool     { return f.Hello != nil && f.Hello.Kind == kindGOST }

// reached tells that the browser has come to the public host, GOST or not.
func (f *Facts) reached() bool { return f.Hello != nil && f.Hello.Kind != kindNone }

// intercepted tells that somebody stands between: a proxy that says so, or a request of a
// browser that would have sent another ClientHello.
func (f *Facts) intercepted() bool {
	return f.ordinary() && (f.Hello.Proxy || f.Hello.Hints && !f.Hello.Grease && !f.Hello.Offered)
}

// refused reports whether a handshake with a host failed in a way; any host if empty.
func (f *Facts) refused(host, why string) bool {
	return slices.ContainsFunc(f.Refused, func(r Refused) bool { return (host == "" || r.Host == host) && r.Why == why })
}

// noSuite reports whether a client that offers GOST, or one that does not, had nothing in
// common with the public host.
func (f *Facts) noSuite(offered bool) bool {
	return slices.Contains(f.Refused, Refused{Host: hostPublic, Why: WhyNoSuite, Offered: offered})
}

// refusedGOST reports whether a client that offers GOST was there and left.
func (f *Facts) refusedGOST() bool {
	return slices.ContainsFunc(f.Refused, func(r Refused) bool { return r.Offered && r.Why == WhyProbe })
}

// came reports whether anything has come to a host, good or bad.
func (f *Facts) came(host string) bool {
	return host == hostPublic && f.reached() || host == hostSignIn && f.Entrance != nil ||
		slices.ContainsFunc(f.Refused, func(r Refused) bool { return r.Host == host })
}

// refusedFor reports whether a certificate was refused for one of the reasons.
func (f *Facts) refusedFor(codes ...reason.Code) bool {
	for _, h := range []*Holder{f.Signature, f.Entrance} {
		if h != nil && slices.Contains(codes, h.Code) {
			return true
		}
	}
	return false
}

func (f *Facts) offers(method string) bool { return slices.Contains(f.Methods, method) }

// pluginWorks reports whether a plug-in was found, half whether only its extension was.
func (f *Facts) pluginWorks() bool {
	return slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return p.State == pluginFound })
}

// refusedPlugin reports whether the person did not let the page use a plug-in.
func (f *Facts) refusedPlugin() bool {
	return !f.pluginWorks() && slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return p.State == pluginRefused })
}

func (f *Facts) half() bool {
	return slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return p.State == pluginProgram })
}

// tokens counts tokens; nil counts all.
func (f *Facts) tokens(which func(Token) bool) int {
	n := 0
	if f.Agent != nil {
		for _, t := range f.Agent.Tokens {
			if which == nil || which(t) {
				n++
			}
		}
	}
	return n
}

// plugins reports whether there is such a plug-in among those that work.
func (f *Facts) plugins(which func(Plugin) bool) bool {
	return slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return p.State == pluginFound && which(p) })
}

// nothingToSignWith reports whether tokens and plug-ins were asked, and none has a
// certificate.
func (f *Facts) nothingToSignWith() bool {
	empty := f.plugins(func(p Plugin) bool { return p.Certificates == 0 })
	tokens := f.tokens(func(t Token) bool { return t.Certificates == 0 })
	return (empty || tokens > 0) && tokens == f.tokens(nil) && !f.plugins(func(p Plugin) bool { return p.Certificates != 0 })
}

func (f *Facts) expired() int {
	n := 0
	for _, p := range f.Plugins {
		n += max(p.Expired, 0)
	}
	if f.Agent != nil {
		for _, t := range f.Agent.Tokens {
			n += max(t.Expired, 0)
		}
	}
	return n
}

// before reports whether version a is older than b: numbers between dots, or between the
// spaces and dashes that programs put there. What is no number counts as nothing.
func before(a, b string) bool { return slices.Compare(numbers(a), numbers(b)) < 0 }

// build reports whether a version is of the build, whatever comes after it.
func build(version, of string) bool {
	v, want := numbers(version), numbers(of)
	return len(v) >= len(want) && slices.Equal(v[:len(want)], want)
}

func numbers(version string) []int {
	var all []int
	for _, part := range strings.FieldsFunc(version, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return all
		}
		all = append(all, n)
	}
	return all
}

// maxMessage is how long a message may be that a person asks about, in characters.
const maxMessage = 500

// Find returns the rows that a message of a program speaks of, those first that fit by the
// longest part of it.
func Find(rows []Row, message string) []Row {
	runes := []rune(message)
	message = strings.ToLower(string(runes[:min(len(runes), maxMessage)]))
	type hit struct {
		row    Row
		length int
	}
	var hits []hit
	for _, row := range rows {
		longest := 0
		for _, part := range row.Messages {
			if strings.Contains(message, part) {
				longest = max(longest, len(part))
			}
		}
		if longest > 0 {
			hits = append(hits, hit{row, longest})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.length - a.length })
	found := make([]Row, len(hits))
	for i, h := range hits {
		found[i] = h.row
	}
	return found
}
