package server_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"propusk/gost/streebog"
	"propusk/pki/reason"
	"propusk/server/journal"
	"propusk/server/testgateway"
)

// withJournal is a change that keeps a journal.
func withJournal(g *testgateway.Gateway) { g.Config.Journal.Path = g.Path("journal.db") }

// journalled returns the records of a gateway, whose chain must be whole.
func journalled(t *testing.T, g *testgateway.Gateway) []journal.Record {
	t.Helper()
	j, err := journal.OpenReadOnly(g.Config.Journal.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := journal.Verify(t.Context(), j); err != nil {
		t.Error(err)
	}
	all, err := j.Read(t.Context(), 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// of returns the records of a kind.
func of(all []journal.Record, kind journal.Kind) []journal.Record {
	return slices.DeleteFunc(slices.Clone(all), func(r journal.Record) bool { return r.Kind != kind })
}

// signInByTLS begins a sign-in and returns the answer of the sign-in host.
func signInByTLS(t *testing.T, g *testgateway.Gateway, person string) testgateway.Answer {
	t.Helper()
	c := g.GOSTBrowser(person)
	_, query, ok := strings.Cut(g.Get(c, authorizeURL(g, "s")).Location(), "?")
	if !ok {
		t.Fatal("no sign-in was begun")
	}
	return g.Get(c, g.Config.SignIn.URL+"/signin?"+query)
}

func TestJournalOfSignIns(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge, withJournal)
	if a := signInByTLS(t, g, "ip"); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.StatusCode, a.Text)
	}
	for _, id := range []string{"revoked", "expired", "unknown-ca"} {
		signInByTLS(t, g, id)
	}
	v := newVisit(t, g)
	for _, id := range []string{"ip", "revoked", "unknown-ca"} {
		state := v.begin()
		by := v.signatory(id)
		by.Time = time.Time{}
		v.follow(v.answer(state, v.sign(v.request(state).Content(), by)))
	}
	all := journalled(t, g)
	type line struct {
		action, person string
		why            reason.Code
	}
	// Nobody vouches for the holder of a certificate of an unknown CA: he is not there.
	want := []line{{"gost-tls", "ip", ""}, {"gost-tls", "revoked", reason.CertRevoked}, {"gost-tls", "expired", reason.CertExpired}, {"challenge", "ip", ""}, {"challenge", "revoked", reason.CertRevoked}}
	got := of(all, journal.SignIn)
	if len(got) != len(want) {
		t.Fatalf("%d records: %v", len(got), got)
	}
	for i, r := range got {
		w := want[i]
		conclusion := "TOTAL-PASSED"
		if w.why != "" {
			conclusion = "TOTAL-FAILED"
		}
		if w.why == reason.CertExpired {
			conclusion = r.Conclusion // whatever the judge says of it
		}
		if r.Action != w.action || r.Reason != w.why || r.Conclusion != conclusion || r.Certificate != g.Country.Person(w.person).Certificate.SHA256() ||
			r.Subject == "" || r.Address.Reveal() != "127.0.0.1" || !strings.HasPrefix(r.Device.Reveal(), "Go-http-client") || r.Support == "" || r.Engine == "" ||
			(r.Client != testgateway.ClientID) == (w.why == "" || w.action == "challenge") {
			t.Errorf("record %d: %+v", i, r)
		}
		if !strings.Contains(g.Log.String(), `"request":"`+r.Support+`"`) {
			t.Errorf("no request %s in the log", r.Support)
		}
	}
	if got[0].Subject != got[3].Subject || got[0].Subject == got[1].Subject {
		t.Error("pseudonyms are not those of people")
	}
	j, err := journal.OpenReadOnly(g.Config.Journal.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if mine, err := j.Of(t.Context(), got[0].Subject, 0, 10); err != nil || len(mine) != 2 || mine[1].Event != got[0].Event {
		t.Errorf("%v, %v", mine, err)
	}
	started := of(all, journal.Operator)
	if len(started) != 2 || started[0].Action != "started" || started[1].Action != "trust-loaded" || !strings.Contains(started[1].Detail, g.Store.Current().ID()) {
		t.Errorf("%v", started)
	}
	wantText(t, g.Get(g.Browser(), g.Admin()+"/metrics"), `propusk_journal_events_total{kind="sign-in",result="appended"} 5`,
		`propusk_journal_events_total{kind="sign-in",result="failed"} 0`, "propusk_journal_records 7", "propusk_journal_head_noted_timestamp_seconds 1")
	if raw, err := os.ReadFile(g.Path("journal.db")); err != nil || strings.Contains(string(raw), g.Country.Person("ip").INN) {
		t.Errorf("the journal knows an ИНН: %v", err)
	}
	g.Stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	all = journalled(t, g)
	last := all[len(all)-1]
	if last.Action != "stopped" || !strings.Contains(g.Log.String(), `"head":"`+journal.Head{Number: last.Number, Hash: last.Hash}.String()+`"`) {
		t.Errorf("at the end: %v\n%s", last, g.Log)
	}
}

func TestJournalOfSignatures(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithChallenge, withJournal, func(g *testgateway.Gateway) { g.Config.Journal.Addresses = "network" })
	v := newVisit(t, g)
	const text = "Согласен."
	o := ordered(t, g, map[string]any{"text": text, "person": map[string]string{"inn": g.Country.Person("ip").INN}})
	for _, id := range []string{"ip512", "ip"} { // the first is another person
		state := v.beginOrder(o.ID)
		v.follow(v.answer(state, v.sign([]byte(text), v.signatory(id))))
	}
	got := of(journalled(t, g), journal.Signature)
	digest := streebog.Sum256([]byte(text))
	if len(got) != 2 || got[0].Reason != reason.SigningOrderPerson || got[0].Order != "" || got[1].Conclusion != "TOTAL-PASSED" || got[1].Order != o.ID ||
		got[1].Digest != hex.EncodeToString(digest[:]) || got[1].Client != testgateway.ClientID || got[1].Address.Reveal() != "127.0.0.0/24" {
		t.Errorf("%+v", got)
	}
}

// TestJournalLost: what cannot be written does not happen, or else the log says so.
func TestJournalLost(t *testing.T) {
	for _, c := range []struct {
		whenLost string
		status   int
	}{{"refuse", http.StatusServiceUnavailable}, {"log", http.StatusSeeOther}} {
		t.Run(c.whenLost, func(t *testing.T) {
			g := testgateway.Start(t, testgateway.WithChallenge, withJournal, func(g *testgateway.Gateway) { g.Config.Journal.WhenLost = c.whenLost })
			o := ordered(t, g, map[string]any{"text": "a"})
			spoilJournal(t, g)
			a := signInByTLS(t, g, "ip")
			wantStatus(t, a, c.status)
			v := newVisit(t, g)
			state := v.beginOrder(o.ID)
			signed := v.follow(v.answer(state, v.sign([]byte("a"), v.signatory("ip"))))
			lost := result(t, g, o.ID).Status
			if c.whenLost == "refuse" {
				wantCode(t, a, http.StatusServiceUnavailable, reason.JournalLost)
				wantCode(t, signed, http.StatusServiceUnavailable, reason.JournalLost)
				if lost != "waiting" {
					t.Errorf("the order is %s", lost)
				}
			} else if lost != "signed" {
				t.Errorf("the order is %s", lost)
			}
			if !strings.Contains(g.Log.String(), "an event is not in the journal") {
				t.Error("the log says nothing")
			}
			wantText(t, g.Get(g.Browser(), g.Admin()+"/metrics"), `propusk_journal_events_total{kind="sign-in",result="failed"} 1`, `propusk_journal_events_total{kind="signature",result="failed"} 1`)
		})
	}
}

// spoilJournal makes the journal of a gateway refuse events: somebody else writes to it.
func spoilJournal(t *testing.T, g *testgateway.Gateway) {
	t.Helper()
	path := g.Path("journal.db")
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), journal.Event{At: time.Now(), Kind: journal.Operator}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStrangerVerifies: the export of a journal is verified as docs/JOURNAL.md says, by
// OpenSSL and without a line of ours.
func TestStrangerVerifies(t *testing.T) {
	o := testgateway.NewOpenSSL(t)
	j := new(journal.Memory)
	for i := range 3 {
		e := journal.Event{At: time.Now(), Kind: journal.SignIn, Action: "gost-tls", Subject: "Кириллица \" \\ < & \u2028" + strconv.Itoa(i)}
		e.Subject = journal.Clean(e.Subject)
		if _, err := j.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	document, err := os.ReadFile("../docs/JOURNAL.md")
	if err != nil {
		t.Fatal(err)
	}
	records, err := j.Read(t.Context(), 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	previous := ""
	for _, r := range records {
		var values map[string]string
		if err := json.Unmarshal(r.Line(), &values); err != nil {
			t.Fatal(err)
		}
		var input []byte
		for _, name := range strings.Fields(fieldOrder(t, string(document))) {
			value := []byte(values[name])
			n := len(value)
			input = append(append(input, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), value...)
			delete(values, name)
		}
		digest := o.Run(input, "openssl", "dgst", "-engine", "gost", "-md_gost12_256", "-r")
		if !strings.HasPrefix(digest, values["hash"]+" ") || len(values) != 1 {
			t.Errorf("%s, record %s", digest, r.Line())
		}
		if previous != "" && !strings.Contains(string(r.Line()), `"previous":"`+previous+`"`) {
			t.Error("the chain is broken")
		}
		previous = values["hash"]
	}
}

// fieldOrder is the order of fields that docs/JOURNAL.md gives.
func fieldOrder(t *testing.T, document string) string {
	t.Helper()
	_, rest, ok := strings.Cut(document, "```fields\n")
	order, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("docs/JOURNAL.md gives no order of fields")
	}
	return order
}
