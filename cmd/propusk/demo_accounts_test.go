package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"propusk/server/captcha/captchatest"
	"propusk/server/mail/mailbox"
)

// accountOf is what demo.json says of the account of a person.
func accountOf(t *testing.T, d *demoRunning, id string) demoAccount {
	t.Helper()
	text, err := json.Marshal(d.doc["people"])
	if err != nil {
		t.Fatal(err)
	}
	var people []demoPerson
	if err := json.Unmarshal(text, &people); err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.ID == id && p.Account != nil {
			return *p.Account
		}
	}
	t.Fatalf("%s has no account", id)
	return demoAccount{}
}

// goOn follows the pages that lead on by themselves.
func (b *tab) goOn() {
	b.t.Helper()
	for range 5 {
		if !strings.Contains(b.text, `http-equiv="refresh"`) {
			return
		}
		b.do(http.MethodGet, b.find(`<meta http-equiv="refresh" content="0; ?url=([^"]*)"`), nil)
	}
	b.t.Fatalf("%s leads on for ever", b.at)
}

// TestDemoPasswords: what demo.json says of accounts opens them, over a restart too.
func TestDemoPasswords(t *testing.T) {
	dir, base := t.TempDir(), freePorts(t)
	d := startDemo(t, dir, base)
	ip, ip512 := accountOf(t, d, "ip"), accountOf(t, d, "ip512")
	signIn := func(login, password, secret string) *tab {
		t.Helper()
		b := newTab(t, d)
		b.do(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/login?by=password", base+5), nil)
		b.send(`action="/signin/password"`, "login", login, "password", password)
		b.goOn()
		if secret == "" {
			return b
		}
		code, err := totp.GenerateCode(secret, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		b.send(`action="/signin/second"`, "code", code)
		b.goOn()
		return b
	}
	if b := signIn(ip.Login, ip.Password, ip.TOTP); b.at.Port() != fmt.Sprint(base+5) || !strings.Contains(b.text, "Примеров") {
		t.Errorf("%s is not the cabinet:\n%s", b.at, b.text)
	}
	if b := signIn("000000000000", ip512.Password, ""); b.at.Port() != fmt.Sprint(base+5) || !strings.Contains(b.text, "Образцова") {
		t.Errorf("the demo login: %s is not the cabinet:\n%s", b.at, b.text)
	}
	if b := signIn(ip512.Login, ip.Password, ""); b.at.Port() == fmt.Sprint(base+5) {
		t.Error("a wrong password opens the cabinet")
	}
	for _, id := range []string{demoNewcomer, "revoked"} {
		if p := d.person(t, id); p["account"] != "" {
			t.Errorf("%s has an account", id)
		}
	}
	if got := d.person(t, demoNewcomer)["expect"]; got != "account-unknown" {
		t.Errorf("the newcomer expects %s", got)
	}
	for _, secret := range []string{ip.Password, ip.TOTP} {
		if strings.Contains(d.out.String(), `"`+secret) {
			t.Error("a secret is in the log")
		}
	}
	if code := d.stop(); code != exitYes {
		t.Errorf("exit code %d:\n%s", code, d.out)
	}
	d = startDemo(t, dir, base)
	if again := accountOf(t, d, "ip512"); again.Password != ip512.Password || again.Login != ip512.Login {
		t.Error("another account after a restart")
	}
	if b := signIn(ip512.Login, ip512.Password, ""); !strings.Contains(b.text, "Образцова") {
		t.Errorf("after a restart: %s", b.text)
	}
}

// TestDemoMail: a request to the support becomes a letter that comes by SMTP with TLS and a
// password, is on the page of the post office, and is answered by a command.
func TestDemoMail(t *testing.T) {
	d := startDemo(t, t.TempDir(), freePorts(t))
	b := newTab(t, d)
	b.do(http.MethodGet, d.text(t, "urls", "public")+"/support", nil)
	fields := []string{"name", "Кто Угодно", "email", "kto@mail.example", "topic", "other", "text", "Как выгрузить сертификат?"}
	solved := url.Values{}
	captchatest.Solve(b.text, solved)
	for name := range solved {
		fields = append(fields, name, solved.Get(name))
	}
	b.send(`action="/support"`, fields...)
	number := b.find(`<code class="id">(2[0-9-]+)</code>`)
	letters := func(want int) []mailbox.Letter {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			status, text := fetch(t, d.text(t, "urls", "mailbox")+".json?to=kto@mail.example")
			var all []mailbox.Letter
			if err := json.Unmarshal([]byte(text), &all); err != nil || status != http.StatusOK {
				t.Fatalf("%d %v: %s", status, err, text)
			}
			if len(all) >= want {
				return all
			}
			if time.Now().After(end) {
				t.Fatalf("%d letters of %d:\n%s", len(all), want, d.out)
			}
		}
	}
	if first := letters(1)[0]; !strings.Contains(first.Subject, number) || first.From != "no-reply@propusk.example" {
		t.Errorf("%+v", first)
	}
	if status, text := fetch(t, d.text(t, "urls", "mailbox")); status != http.StatusOK || !strings.Contains(text, number) {
		t.Errorf("the page of the post office: %d\n%s", status, text)
	}
	config := filepath.Join(d.dir, demoConfig)
	if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	var out lockedBuffer
	args := []string{"ticket", "answer", number, "--config", config, "--text", "Кнопкой «Экспорт».", "--close"}
	if code := run(t.Context(), args, strings.NewReader(""), &out, &out); code != exitYes {
		t.Fatalf("%d: %s", code, &out)
	}
	if answer := letters(2)[1]; !strings.Contains(answer.Text, "Кнопкой «Экспорт».") {
		t.Errorf("%+v", answer)
	}
}

// byAgent signs with the token of a person, from the page that waits for the agent to where the
// gateway leads then.
func (b *tab) byAgent(id string) {
	b.t.Helper()
	b.do(http.MethodGet, b.find(`id="open-agent" href="([^"]*)"`), nil)
	if strings.Contains(b.text, `<form id="post"`) { // too long for an address
		b.send(`id="post"`)
	}
	b.do(http.MethodGet, b.find(`«`+id+`» <span[^>]*>[^<]*</span></span>\s*<p><a class="button" href="([^"]*)"`), nil)
	b.send(`id="pin-form"`, "pin", "12345678")
	b.send(`id="answer"`)
	b.goOn()
}

// TestDemoNewcomer: who has a key and no account registers by the agent of the demo, opens the
// letter, and is in the cabinet.
func TestDemoNewcomer(t *testing.T) {
	d := startDemo(t, t.TempDir(), freePorts(t))
	b := newTab(t, d)
	b.do(http.MethodGet, d.text(t, "urls", "cabinet")+"/login", nil)
	b.send(`action="/signin/agent"`)
	b.byAgent(demoNewcomer)
	fields := []string{"email", "novichkova@mail.example"}
	solved := url.Values{}
	captchatest.Solve(b.text, solved)
	for name := range solved {
		fields = append(fields, name, solved.Get(name))
	}
	b.send(`action="/registration"`, fields...)
	b.send(`action="/registration/agreement"`)
	b.byAgent(demoNewcomer)
	b.send(`action="/registration/password"`, "email", "novichkova@mail.example", "password", "Kiparis-7-Oblako", "again", "Kiparis-7-Oblako")
	var link string
	for end := time.Now().Add(30 * time.Second); link == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_, text := fetch(t, d.text(t, "urls", "mailbox")+".json?to=novichkova@mail.example")
		var all []mailbox.Letter
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		for _, l := range all {
			link, _ = l.Link(d.text(t, "urls", "public") + "/activate")
		}
	}
	other := newTab(t, d) // another browser (IP-21)
	other.do(http.MethodGet, link, nil)
	other.send(`action="/activate"`)
	again := newTab(t, d)
	again.do(http.MethodGet, d.text(t, "urls", "cabinet")+"/login", nil)
	again.send(`action="/signin/agent"`)
	again.byAgent(demoNewcomer)
	if again.at.Port() != fmt.Sprint(d.base+5) || !strings.Contains(again.text, "Новичкова") {
		t.Errorf("%s is not the cabinet:\n%s", again.at, again.text)
	}
}
