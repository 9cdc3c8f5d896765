package cabinet

import (
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"propusk/pki/person"
	"propusk/server/level"
)

// find returns the service with an ID, and false if the cabinet has none.
func (c *Cabinet) find(id string) (level.Service, bool) {
	i := slices.IndexFunc(c.opts.Services, func(s level.Service) bool { return s.ID == id })
	if i < 0 {
		return level.Service{}, false
	}
	return c.opts.Services[i], true
}

// wanted says what the sign-in is to prove: what the chosen service wants, or a password if
// that was asked for, or else a key. Without services nothing is said, and a key is needed.
func (c *Cabinet) wanted(w http.ResponseWriter, r *http.Request) []oauth2.AuthCodeOption {
	if len(c.opts.Services) == 0 {
		return nil
	}
	q := r.URL.Query()
	s, ok := c.find(q.Get("service"))
	switch {
	case ok: // what it wants depends on whom the person acts for, and the provider knows that
		c.setCookie(w, serviceCookie, s.ID, attemptLife)
		return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("service", s.ID)}
	case q.Get("by") == "password":
		c.setCookie(w, serviceCookie, "", -time.Second)
		return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("acr_values", level.Password.ACR())}
	}
	c.setCookie(w, serviceCookie, "", -time.Second)
	return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("acr_values", level.QES.ACR())}
}

// chosen returns the path of the service that the sign-in was for, which is done now.
func (c *Cabinet) chosen(w http.ResponseWriter, r *http.Request) string {
	s, ok := c.find(c.cookie(r, serviceCookie))
	if !ok {
		return "/"
	}
	c.setCookie(w, serviceCookie, "", -time.Second)
	return "/services/" + s.ID
}

// letsIn reports whether the cabinet as such is content with a sign-in.
func (c *Cabinet) letsIn(a Account) bool {
	if len(c.opts.Services) == 0 {
		return a.ACR == requiredACR
	}
	l, ok := level.ParseACR(a.ACR)
	return ok && l >= level.Password
}

// may reports whether a service is content with what a person has proven.
func may(s level.Service, a Account) bool {
	l, ok := level.ParseACR(a.ACR)
	if !ok {
		l = level.Open // and somebody whom nobody knows
	}
	kind := person.Kind(a.Kind)
	if a.Taxpayer != nil {
		kind = person.Kind(a.Taxpayer.Kind)
	}
	_, enough := s.For(kind).Best([]level.Proof{{Level: l, AMR: a.AMR}})
	return enough
}

// service shows a service to who has proven enough, and sends others to prove it: they come
// back here (BY-08).
func (c *Cabinet) service(w http.ResponseWriter, r *http.Request) {
	s, ok := c.find(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	a, known := c.sessions.Get(c.cookie(r, sessionCookie))
	if !may(s, a) {
		http.Redirect(w, r, c.opts.URL+"/login?service="+s.ID, http.StatusSeeOther)
		return
	}
	v := view{Choice: true}
	if known {
		v = c.view(a)
	}
	v.Service = &s
	c.write(w, http.StatusOK, v)
}

// item is a line of the menu.
type item struct {
	level.Service
	// Open says that the person has proven enough for it.
	Open bool
	// Wants is what it wants, in few words.
	Wants words
}

// words are a few of them, in both languages.
type words struct{ RU, EN string }

// menu are the services as a person sees them; the zero Account is somebody who has not signed
// in.
func (c *Cabinet) menu(a Account) []item {
	var items []item
	for _, s := range c.opts.Services {
		items = append(items, item{Service: s, Open: may(s, a), Wants: wants(s)})
	}
	return items
}

// open are the services for everybody.
func (c *Cabinet) open() []item {
	return slices.DeleteFunc(c.menu(Account{}), func(i item) bool { return !i.Open })
}

func wants(s level.Service) words {
	switch {
	case s.Physical:
		return words{"ключ на носителе", "a key in a token"}
	case s.Level >= level.QES && len(s.Kinds) > 0:
		return words{"ключ (для некоторых — мобильная подпись)", "a key (of some: a signature by telephone)"}
	case s.Level >= level.Mobile:
		return words{"ключ", "a key"}
	case s.Level == level.TwoFactor:
		return words{"пароль и код", "a password and a code"}
	case s.Level == level.Password:
		return words{"пароль", "a password"}
	}
	return words{"для всех", "for everybody"}
}
