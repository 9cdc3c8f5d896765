package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"propusk/server/config"
	"propusk/server/testgateway"
)

// secret is the password of everybody.
const secret = "Зелёная-дверь-47"

const levels = "clients: {public: password}\n"

// production undoes what tests do to be quick.
func production(g *testgateway.Gateway) {
	g.WriteFile("levels.yaml", levels)
	g.Config.Levels.Path = g.Path("levels.yaml")
	normal := config.Default()
	g.Config.Login = normal.Login
	g.Config.Limits.HandshakesPerAddress = 1000 // all browsers are on this machine
}

// world is a gateway with people.
type world struct {
	g      *testgateway.Gateway
	people []string
	logins map[string]string
}

func newWorld(t harness, g *testgateway.Gateway) *world {
	w := &world{g: g, people: []string{"ip", "ip512"}, logins: make(map[string]string)}
	db := g.Accounts()
	for _, id := range w.people {
		g.GivePassword(db, g.AddAccount(db, id), secret)
		w.logins[id] = g.Country.Person(id).INN
	}
	return w
}

// answer is a response whose body was read.
type answer struct {
	at       *url.URL
	status   int
	text     string
	location string
}

func get(c *http.Client, address string) (answer, error) {
	res, err := c.Get(address)
	return read(res, err)
}

func read(res *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.Request.URL, res.StatusCode, string(body), res.Header.Get("Location")}, err
}

// follow goes on while it is sent to hosts of the gateway.
func (w *world) follow(c *http.Client, a answer) (answer, error) {
	for range 8 {
		if a.location == "" || strings.HasPrefix(a.location, testgateway.Callback) {
			return a, nil
		}
		next, err := a.at.Parse(a.location)
		if err != nil {
			return a, err
		}
		if a, err = get(c, next.String()); err != nil {
			return a, err
		}
	}
	return a, errors.New("redirects without end")
}

// arrived reports whether an answer hands the person over to the service.
func arrived(a answer) error {
	if strings.Contains(a.location+html.UnescapeString(a.text), testgateway.Callback+"?code=") {
		return nil
	}
	return fmt.Errorf("not signed in at %s: %d %s\n%s", a.at.Path, a.status, a.location, a.text)
}

// asked begins a sign-in from the service and returns the page that asks how.
func (w *world) asked(c *http.Client) (answer, error) {
	challenge := strings.Repeat("A", 43)
	a, err := get(c, w.g.Config.Public.URL+"/authorize?"+url.Values{
		"client_id": {"public"}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {testgateway.Callback}, "state": {"s"},
		"nonce": {"n"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode())
	if err != nil {
		return a, err
	}
	return w.follow(c, a)
}

var hidden = regexp.MustCompile(`name="(request|form-token)" value="([^"]*)"`)

// fields are the hidden ones of the form for a password.
func fields(a answer) url.Values {
	v := make(url.Values)
	for _, m := range hidden.FindAllStringSubmatch(a.text, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// byKey signs somebody in whose browser speaks GOST TLS, from the service to the service.
func (w *world) byKey(worker int) error {
	c := w.g.GOSTBrowser(w.people[worker%len(w.people)])
	defer c.CloseIdleConnections()
	page, err := w.asked(c)
	if err != nil {
		return err
	}
	a, err := get(c, w.g.Config.SignIn.URL+"/signin?request="+url.QueryEscape(fields(page).Get("request")))
	if err == nil {
		a, err = w.follow(c, a)
	}
	if err != nil {
		return err
	}
	return arrived(a)
}

// byPassword signs somebody in with a password, from the service to the service.
func (w *world) byPassword(worker int) error {
	c := w.g.Browser()
	defer c.CloseIdleConnections()
	a, err := w.passwordOf(c, w.people[worker%len(w.people)])
	if err != nil {
		return err
	}
	return arrived(a)
}

func (w *world) passwordOf(c *http.Client, id string) (answer, error) {
	page, err := w.asked(c)
	if err != nil {
		return page, err
	}
	form := fields(page)
	form.Set("login", w.logins[id])
	form.Set("password", secret)
	res, err := c.PostForm(w.g.Config.Public.URL+"/signin/password", form)
	a, err := read(res, err)
	if err != nil {
		return a, err
	}
	return w.follow(c, a)
}

// pages asks for pages one after the other, and prints what they took in the gateway.
func (w *world) pages(out io.Writer, times int) error {
	c := w.g.Browser()
	if a, err := w.passwordOf(c, "ip"); err != nil {
		return err
	} else if err := arrived(a); err != nil {
		return err
	}
	stranger := w.g.Browser()
	page, err := w.asked(stranger)
	if err != nil {
		return err
	}
	sealed := url.QueryEscape(fields(page).Get("request"))
	fmt.Fprintf(out, "%-34s %10s %10s\n", "page, time in the gateway", "p50, ms", "p99, ms")
	for _, one := range []struct {
		route, address string
		client         *http.Client
	}{
		{"/", "/", stranger}, {"/signin", "/signin?choose=1&request=" + sealed, stranger}, {"/recovery", "/recovery", stranger},
		{"/account", "/account", c}, {"/account/journal", "/account/journal", c}, {"/account/security", "/account/security", c},
	} {
		for range times {
			a, err := get(one.client, w.g.Config.Public.URL+one.address)
			if err != nil {
				return err
			}
			if a.status != http.StatusOK {
				return fmt.Errorf("%s: %d %s", one.route, a.status, a.text)
			}
		}
		took := logged(w.g.Log.String(), one.route)
		fmt.Fprintf(out, "%-34s %10.2f %10.2f\n", one.route, ms(quantile(took, 0.5)), ms(quantile(took, 0.99)))
	}
	return nil
}
