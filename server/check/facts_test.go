package check

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gosttls"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/page"
)

const goodReport = `{"skew":12,"missed":["signin"],"agent":{"version":"1","readers":1,"cards":1,"uec":0,"modules":1,"broken":0,"gateway":"ok",` +
	`"tokens":[{"model":"Рутокен ЭЦП 3.0","pin":"ok","certificates":2,"expired":1}]},` +
	`"plugins":[{"id":"cryptopro","state":"found","version":"2.0.15000","csp":"5.0.13300","certificates":3,"expired":0,"keyless":1}],"agent_asked":true,"plugins_asked":true}`

func TestParseObserved(t *testing.T) {
	o, err := ParseObserved(strings.NewReader(goodReport))
	if err != nil || *o.Skew != 12 || o.Agent.Tokens[0].Certificates != 2 || o.Plugins[0].Keyless != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	for name, report := range map[string]string{
		"empty":         "",
		"two":           goodReport + goodReport,
		"unknown field": strings.Replace(goodReport, `"skew"`, `"name":"x","skew"`, 1),
		"far clock":     strings.Replace(goodReport, `"skew":12`, `"skew":99999999999`, 1),
		"no host":       strings.Replace(goodReport, `"signin"`, `"elsewhere"`, 1),
		"three hosts":   strings.Replace(goodReport, `"signin"`, `"signin","public","signin"`, 1),
		"no plug-in":    strings.Replace(goodReport, `"cryptopro"`, `"other"`, 1),
		"no state":      strings.Replace(goodReport, `"found"`, `"perhaps"`, 1),
		"two lines":     strings.Replace(goodReport, `ЭЦП 3.0`, `ЭЦП\n3.0`, 1),
		"long model":    strings.Replace(goodReport, `ЭЦП 3.0`, strings.Repeat("Э", 101), 1),
		"no PIN":        strings.Replace(goodReport, `"pin":"ok"`, `"pin":"12345678"`, 1),
		"less than -1":  strings.Replace(goodReport, `"expired":1`, `"expired":-2`, 1),
		"many":          strings.Replace(goodReport, `"certificates":3`, `"certificates":1000000`, 1),
		"no gateway":    strings.Replace(goodReport, `"gateway":"ok"`, `"gateway":""`, 1),
		"a fraction":    strings.Replace(goodReport, `"skew":12`, `"skew":1.5`, 1),
		"long":          strings.Replace(goodReport, `{"skew"`, `{`+strings.Repeat(" ", maxObserved)+`"skew"`, 1),
	} {
		if o, err := ParseObserved(strings.NewReader(report)); err == nil || o.Skew != nil || o.Agent != nil {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

func FuzzParseObserved(f *testing.F) {
	f.Add([]byte(goodReport))
	f.Add([]byte(`{"skew":null,"missed":null,"agent":null,"plugins":null}`))
	f.Add([]byte(`{"agent":{"tokens":[{}]}}`))
	rows, err := Rows()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseObserved(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		var facts Facts
		facts.add(o)
		if d := Diagnose(rows, &facts); len(d.Steps) != lastStep || d.Ready {
			t.Errorf("%q: %+v", data, d)
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > maxObserved { // escapes may be longer
			return
		}
		if _, err := ParseObserved(strings.NewReader(string(again))); err != nil {
			t.Errorf("%q: accepted, but %s is not: %v", data, again, err)
		}
	})
}

func FuzzFind(f *testing.F) {
	rows, err := Rows()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("0x800B010A")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, message string) {
		if len(Find(rows, message)) > len(rows) {
			t.Error(message)
		}
	})
}

// TestVersions compares as people and programs write versions.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		a, b   string
		before bool
	}{
		{"4.0.9963", "5.0", true}, {"5.0.11455", "5.0", false}, {"5.0", "5.0.11455", true}, {"2.0.13642", goodPlugin, true}, {"2.0.15000", goodPlugin, false},
		{"2.0.13771", goodPlugin, false}, {"10.0", "9.9", false}, {"4.0.9963 KC1", "5.0", true}, {"", "5.0", true}, {"99999999999999999999", "5", true},
	} {
		if got := before(c.a, c.b); got != c.before {
			t.Errorf("%q before %q: %v", c.a, c.b, got)
		}
	}
	if !build("5.0.12600 KC1", "5.0.12600") || build("5.0.13300", "5.0.13000") || build("5.0", "5.0.12600") {
		t.Error("builds are not told apart")
	}
}

// TestProgramsAndTokens are the rows that programs on the computer of a person tell of.
// That they tell it is tested where they are: in package agent, and in browsertest.
func TestProgramsAndTokens(t *testing.T) {
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	agent := func(change func(*Agent)) *Agent {
		a := &Agent{Version: "1", Readers: 1, Cards: 1, Modules: 1, Gateway: gatewayOK, Tokens: []Token{{Model: "Рутокен", PIN: pinOK, Certificates: 1}}}
		change(a)
		return a
	}
	plugin := func(version, csp string, change ...func(*Plugin)) []Plugin {
		p := Plugin{ID: pluginCryptoPro, State: pluginFound, Version: version, CSP: csp, Certificates: 1}
		for _, f := range change {
			f(&p)
		}
		return []Plugin{p}
	}
	for name, c := range map[string]struct {
		facts Facts
		step  int
		row   string
	}{
		"CSP 4":          {Facts{Plugins: plugin("2.0.15000", "4.0.9963"), PluginsAsked: true}, stepBrowser, "2"},
		"CSP 5.0.12600":  {Facts{Plugins: plugin("2.0.15000", "5.0.12600"), PluginsAsked: true}, stepBrowser, "3"},
		"old plug-in":    {Facts{Plugins: plugin("2.0.13292", "5.0.13300"), PluginsAsked: true}, stepSigner, "16"},
		"none":           {Facts{PluginsAsked: true, Methods: []string{"plugin"}}, stepSigner, "18"},
		"not let":        {Facts{PluginsAsked: true, Plugins: plugin("", "", func(p *Plugin) { p.State = pluginRefused })}, stepSigner, "18"},
		"half":           {Facts{PluginsAsked: true, Plugins: plugin("", "", func(p *Plugin) { p.State = pluginProgram })}, stepSigner, "A4"},
		"empty token":    {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Tokens[0].Certificates = 0 })}, stepSigner, "19"},
		"empty store":    {Facts{Plugins: plugin("2.0.15000", "5.0.13300", func(p *Plugin) { p.Certificates = 0 }), PluginsAsked: true}, stepSigner, "19"},
		"no keys":        {Facts{Plugins: plugin("2.0.15000", "5.0.13300", func(p *Plugin) { p.Keyless = 1 }), PluginsAsked: true}, stepSigner, "20"},
		"locked":         {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Tokens[0].PIN = pinLocked })}, stepSigner, "26"},
		"no token":       {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Tokens = nil })}, stepSigner, "27"},
		"many are over":  {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Tokens[0].Expired = 5 })}, stepSigner, "29"},
		"in the middle":  {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Gateway = gatewayUntrusted })}, stepBrowser, "30"},
		"УЭК":            {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.UEC = 1 })}, stepSigner, "43"},
		"agent stopped":  {Facts{AgentAsked: true, Methods: []string{"agent"}}, stepSigner, "A1"},
		"no way":         {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Gateway = gatewayUnreachable })}, stepSigner, "A5"},
		"first PIN":      {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Tokens[0].PIN = pinUnset })}, stepSigner, "A6"},
		"issued PIN":     {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Tokens[0].PIN = pinMustChange })}, stepSigner, "A6"},
		"broken library": {Facts{AgentAsked: true, Agent: agent(func(a *Agent) { a.Broken = 1 })}, stepSigner, "A3"},
		"other person": {Facts{Signature: &Holder{Kind: person.Entrepreneur, inn: mustINN(t, "500100732259")}, Entrance: &Holder{Kind: person.Entrepreneur, inn: mustINN(t, "526317984689")}},
			stepKey, "24"},
	} {
		s := Diagnose(rows, &c.facts).Steps[c.step-1]
		if !slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Row == c.row }) || s.Mark == MarkGood || s.Mark == MarkNone {
			t.Errorf("%s: %+v", name, s)
		}
	}
	well := Facts{AgentAsked: true, Agent: agent(func(*Agent) {}), Plugins: plugin("2.0.15000", "5.0.13300"), PluginsAsked: true, Methods: []string{"agent", "plugin"}}
	for _, s := range Diagnose(rows, &well).Steps {
		if len(s.Findings) != 0 {
			t.Errorf("all is well: %+v", s)
		}
	}
}

func mustINN(t *testing.T, s string) person.INN {
	t.Helper()
	inn, err := person.ParseINN(s)
	if err != nil {
		t.Fatal(err)
	}
	return inn
}

// TestForgiven: one whole way to sign in is enough; two halves are not.
func TestForgiven(t *testing.T) {
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	ordinary, gost := &Hello{Kind: kindOrdinary}, &Hello{Kind: kindGOST, Offered: true}
	good, bad := &Holder{Kind: person.Entrepreneur}, &Holder{Code: reason.CertExpired, Kind: person.Entrepreneur}
	skew := int64(3600)
	for name, c := range map[string]struct {
		facts Facts
		ready bool
	}{
		"by a signature":            {Facts{Cookies: cookiesOn, Hello: ordinary, Signature: good}, true},
		"by a signature, tried TLS": {Facts{Cookies: cookiesOn, Hello: ordinary, Signature: good, Entrance: &Holder{Code: reason.GOSTTLSRequired}}, true},
		"by TLS without a program":  {Facts{Cookies: cookiesOn, Hello: gost, Entrance: good, AgentAsked: true, Methods: []string{"agent"}}, true},
		"TLS, but not the sign-in":  {Facts{Cookies: cookiesOn, Hello: gost}, false},
		"a bad certificate":         {Facts{Cookies: cookiesOn, Hello: gost, Entrance: bad}, false},
		"a good one and a bad one":  {Facts{Cookies: cookiesOn, Hello: gost, Signature: good, Entrance: bad}, false},
		"cookies off":               {Facts{Cookies: cookiesOff, Hello: gost, Entrance: good}, false},
		"nobody knows of cookies":   {Facts{Hello: gost, Entrance: good}, false},
		"others of the address":     {Facts{Cookies: cookiesOn, Hello: gost, Entrance: good, Refused: []Refused{{Host: hostPublic, Why: WhyOldVersion}, {Host: hostSignIn, Why: WhyOldKey}, {Host: hostSignIn, Why: WhyKey}, {Host: hostPublic, Why: WhyDistrust}, {Host: hostPublic, Why: WhyProbe, Offered: true}, {Host: hostPublic, Why: WhyNoSuite}, {Host: hostPublic, Why: WhyNoSuite, Offered: true}, {Host: hostSignIn, Why: WhyBroken}}}, true},
		"the clock is wrong":        {Facts{Cookies: cookiesOn, Hello: gost, Entrance: good, Skew: &skew}, false},
		"nothing was tried":         {Facts{Cookies: cookiesOn}, false},
	} {
		if d := Diagnose(rows, &c.facts); d.Ready != c.ready {
			t.Errorf("%s: ready %v, %+v", name, d.Ready, d.Steps)
		}
	}
}

// TestNoGOSTIsANote: who has an agent or a plug-in at hand reads of a browser without GOST that
// this is not in his way, and which way is his; somebody who stands between still is.
func TestNoGOSTIsANote(t *testing.T) {
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	agent := func(gateway, pin string) *Agent {
		return &Agent{Version: "1", Gateway: gateway, Tokens: []Token{{Model: "Рутокен", PIN: pin, Certificates: 1}}}
	}
	plugin := []Plugin{{ID: pluginCryptoPro, State: pluginFound, Version: "2.0.15000", CSP: "5.0.13300", Certificates: 1}}
	ways := []string{"gost-tls", "agent", "plugin"}
	entrance := &Holder{Code: reason.GOSTTLSRequired}
	for name, c := range map[string]struct {
		facts  Facts
		mark   Mark
		advice string // in what to do
	}{
		"agent":                      {Facts{Methods: ways, AgentAsked: true, Agent: agent(gatewayOK, pinOK)}, MarkWarn, "propusk-agent"},
		"plug-in":                    {Facts{Methods: ways, PluginsAsked: true, Plugins: plugin}, MarkWarn, "the plug-in"},
		"neither":                    {Facts{Methods: ways, AgentAsked: true, PluginsAsked: true}, MarkBad, "Chromium-Gost"},
		"not looked for":             {Facts{Methods: ways}, MarkBad, "Chromium-Gost"},
		"agent is not offered":       {Facts{Methods: ways[:1], AgentAsked: true, Agent: agent(gatewayOK, pinOK)}, MarkBad, "Chromium-Gost"},
		"plug-in is not offered":     {Facts{Methods: ways[:2], PluginsAsked: true, Plugins: plugin}, MarkBad, "Chromium-Gost"},
		"agent without a way":        {Facts{Methods: ways, AgentAsked: true, Agent: agent(gatewayUnreachable, pinOK)}, MarkBad, "Chromium-Gost"},
		"its token is locked":        {Facts{Methods: ways, AgentAsked: true, Agent: agent(gatewayOK, pinLocked)}, MarkBad, "Chromium-Gost"},
		"somebody stands in between": {Facts{Methods: ways, AgentAsked: true, Agent: agent(gatewayUntrusted, pinOK), Plugins: plugin, PluginsAsked: true}, MarkBad, ""},
	} {
		c.facts.Cookies, c.facts.Hello, c.facts.Entrance = cookiesOn, &Hello{Kind: kindOrdinary}, entrance
		d := Diagnose(rows, &c.facts)
		if got := d.Steps[stepServer-1].Mark; got != c.mark && name != "somebody stands in between" {
			t.Errorf("%s: step 7 is %s", name, got)
		}
		s := d.Steps[stepBrowser-1]
		told := slices.ContainsFunc(s.Findings, func(found Finding) bool {
			return slices.ContainsFunc(found.Action, func(a page.Text) bool { return strings.Contains(a.EN, c.advice) })
		})
		if s.Mark != c.mark || !told || d.Ready {
			t.Errorf("%s: %s, ready %v, %+v", name, s.Mark, d.Ready, s.Findings)
		}
		if c.mark == MarkBad {
			continue
		}
		// The advice stays when the way was gone.
		c.facts.Signature = &Holder{Kind: person.Entrepreneur}
		after := Diagnose(rows, &c.facts)
		if got := after.Steps[stepBrowser-1]; !after.Ready || got.Mark != MarkWarn || !slices.Equal(got.Findings[0].Action, s.Findings[0].Action) {
			t.Errorf("%s, signed: %+v", name, got)
		}
	}
}

// TestWhy names the ways in which handshakes fail.
func TestWhy(t *testing.T) {
	now := gosttls.ConnectionState{OfferedVersion: tls.VersionTLS12, Offered: []uint16{0x1301}}
	for name, c := range map[string]struct {
		st   gosttls.ConnectionState
		err  error
		want string
	}{
		"probe":       {now, fmt.Errorf("x: %w", gosttls.ErrGOSTProbe), WhyProbe},
		"HTTP":        {gosttls.ConnectionState{}, gosttls.ErrNotTLS, WhyNotTLS},
		"full":        {gosttls.ConnectionState{}, gosttls.ErrTooManyHandshakes, WhyOther},
		"TLS 1.0":     {gosttls.ConnectionState{OfferedVersion: tls.VersionTLS10, Offered: []uint16{0x2f}}, errors.New("x"), WhyOldVersion},
		"unknown CA":  {now, &net.OpError{Op: "remote error", Err: tls.AlertError(48)}, WhyDistrust},
		"other alert": {now, &net.OpError{Op: "remote error", Err: tls.AlertError(80)}, WhyBroken},
		"GOST alert":  {now, &gosttls.RemoteError{Alert: gosttls.AlertUnknownCA}, WhyDistrust},
		"proof":       {now, &gosttls.ProtocolError{Alert: 51, Err: errors.New("x")}, WhyKey},
		"old key":     {now, &gosttls.ProtocolError{Alert: gosttls.AlertUnsupportedCertificate, Err: errors.New("x")}, WhyOldKey},
		"no suite":    {now, &gosttls.ProtocolError{Alert: 40, Err: gosttls.ErrNoSharedSuite}, WhyNoSuite},
		"gone":        {now, io.EOF, WhyBroken},
		"silent":      {gosttls.ConnectionState{}, io.EOF, WhyOther},
	} {
		if got := why(c.st, c.err); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestNotes: one address does not push out what others came for, and nothing is remembered
// for longer than a quarter of an hour.
func TestNotes(t *testing.T) {
	now := time.Now()
	n := &notes{now: func() time.Time { return now }}
	began := now
	me, flood := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	n.add(me, Refused{Host: hostPublic, Why: WhyOldVersion})
	for i := range 10 * maxNotesOne {
		n.add(flood, Refused{Host: hostSignIn, Why: fmt.Sprint(i)})
	}
	if got := n.since(me, began); len(got) != 1 || len(n.all) != maxNotesOne+1 {
		t.Errorf("%v of %d", got, len(n.all))
	}
	for i := range maxNotes {
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)
		n.add(from, Refused{Host: hostSignIn, Why: WhyBroken})
	}
	if len(n.all) != maxNotes {
		t.Errorf("%d are remembered", len(n.all))
	}
	n.add(me, Refused{Host: hostPublic, Why: WhyDistrust})
	if got := n.since(me, now.Add(time.Second)); len(got) != 0 {
		t.Errorf("of before the run: %v", got)
	}
	now = now.Add(noteLife + time.Second)
	n.add(flood, Refused{Host: hostPublic, Why: WhyBroken})
	if got := n.since(me, began); len(got) != 0 || len(n.all) != 1 {
		t.Errorf("after a quarter of an hour: %v of %d", got, len(n.all))
	}
}

// TestRoom: one address leaves room for others, and runs make room when they are over.
func TestRoom(t *testing.T) {
	now := time.Now()
	s := newRuns(8, func() time.Time { return now })
	me, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	mine := 0
	for range 20 {
		if _, err := s.begin("https://x", [32]byte{}, me); err == nil {
			mine++
		} else if reason.Of(err) != reason.ServerBusy {
			t.Fatal(err)
		}
	}
	if mine != 4 {
		t.Errorf("%d of 8", mine)
	}
	if _, err := s.begin("https://x", [32]byte{}, other); err != nil {
		t.Error(err)
	}
	now = now.Add(runLife)
	if _, err := s.begin("https://x", [32]byte{}, me); err != nil || s.store.Len() != 1 {
		t.Errorf("%v, %d are kept", err, s.store.Len())
	}
}

// TestRoomAround: who has a whole network leaves room for others too.
func TestRoomAround(t *testing.T) {
	now := time.Now()
	for _, network := range []string{"2001:db8:1:%x::/64", "192.0.2.%d/32"} {
		r := newRoom(100, 10, time.Hour, func() time.Time { return now })
		made := 0
		for i := range 200 {
			if r.enter(netip.MustParsePrefix(fmt.Sprintf(network, i))) == nil {
				made++
			}
		}
		if made < 66 || made > 68 { // two thirds
			t.Errorf("%s has made %d of 100", network, made)
		}
		if err := r.enter(netip.MustParsePrefix("198.51.100.1/32")); err != nil {
			t.Error(err)
		}
		now = now.Add(time.Hour)
		if err := r.enter(netip.MustParsePrefix(fmt.Sprintf(network, 1))); err != nil || len(r.counts) != 2 {
			t.Errorf("%v, %d counters", err, len(r.counts))
		}
		r = newRoom(10000, 10, time.Hour, func() time.Time { return now })
		for made = 0; made < 1000 && r.enter(netip.MustParsePrefix(fmt.Sprintf(network, made%250))) == nil; made++ {
		}
		if made != 10*neighbours {
			t.Errorf("%s has made %d results", network, made)
		}
	}
	r := newRoom(100, 10, time.Hour, func() time.Time { return now })
	if err := r.enter(netip.Prefix{}); err != nil { // behind something that hides addresses
		t.Error(err)
	}
}

// TestRoomForResults: what is stored is bounded for each address.
func TestRoomForResults(t *testing.T) {
	now := time.Now()
	r := newRoom(1000, maxResults, time.Hour, func() time.Time { return now })
	me := netip.MustParsePrefix("192.0.2.1/32")
	for i := range maxResults {
		if err := r.enter(me); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := r.enter(me); reason.Of(err) != reason.ServerBusy {
		t.Error(err)
	}
	now = now.Add(time.Hour)
	if err := r.enter(me); err != nil {
		t.Error(err)
	}
}

// TestSaved: a result is told the same after it was stored.
func TestSaved(t *testing.T) {
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	c := &Check{rows: rows}
	skew := int64(400)
	s := newSaved(Facts{
		Skew: &skew, Cookies: cookiesOff, Refused: []Refused{{Host: hostPublic, Why: WhyOldVersion}},
		Entrance: &Holder{Code: reason.CertRevoked, Kind: person.Entrepreneur, NotAfter: time.Unix(2e9, 0).UTC(), cert: []byte{0x30, 0}, inn: mustINN(t, "500100732259")},
	}, time.Unix(1.9e9, 0).UTC())
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "500100732259") {
		t.Errorf("the ИНН is stored: %s", data)
	}
	back, err := parseSaved(data)
	if err != nil {
		t.Fatal(err)
	}
	one, two := c.report("CODE", s), c.report("CODE", back)
	if one.Text != two.Text || string(two.Certificate) != "\x30\x00" {
		t.Errorf("before:\n%s\nafter:\n%s", one.Text, two.Text)
	}
	for _, row := range []string{"[21]", "[33]", "[34]", "[36]"} {
		if !strings.Contains(two.Text, row) {
			t.Errorf("no %s in\n%s", row, two.Text)
		}
	}
	for _, bad := range []string{"", "{", `{"version":2}`} {
		if _, err := parseSaved([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestFinding: a key is good once, in its time, and only its own.
func TestFinding(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var none finding
	if none.take("", now) {
		t.Error("nothing was on its way")
	}
	f := finding{key: "a", until: now.Add(time.Minute), holder: &Holder{}}
	if f.take("b", now) || f.take("", now) || f.take("a", now.Add(time.Minute)) {
		t.Error("taken with another key, or too late")
	}
	if !f.take("a", now) || f.take("a", now) || f.holder != nil {
		t.Error("not taken once")
	}
}
