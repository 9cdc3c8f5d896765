package challenge

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/signrequest"
)

// formRequest is a post of a form.
func formRequest(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/signed", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// FuzzAnswer reads the posts of agents and plug-ins.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"state=s&signature=MIIB", "state=s&error=cancelled", "state=s&error=failed", "state=s&signature=MI%0D%0AIB",
		"state=s&state=t&signature=", "a=b", "%zz", "state=s;signature=x", "state=s&signature=A===", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := postForm(formRequest(body), "state", "?signature", "?error")
		if err != nil {
			if form != nil || reason.Of(err) == reason.InternalError {
				t.Fatalf("%v beside %v", form, err)
			}
			return
		}
		if len(form["state"]) != 1 || len(form["signature"])+len(form["error"]) > 2 {
			t.Fatalf("form %v", form)
		}
		a, err := readAnswer(form)
		switch {
		case err != nil && (a.file != nil || a.failure != "" || reason.Of(err) == reason.InternalError):
			t.Fatalf("%v beside %v", a, err)
		case err == nil && (len(a.file) > 0) == (a.failure != ""):
			t.Fatalf("an answer that is both or none: %v", a)
		case len(a.file) > maxAnswer:
			t.Fatalf("%d bytes", len(a.file))
		}
	})
}

// FuzzOrder reads the orders of services. Whatever is taken makes a request that an agent
// takes.
func FuzzOrder(f *testing.F) {
	for _, seed := range []string{
		`{"redirect_uri":"x","state":"s","text":"a"}`,
		`{"state":"s","text":"a","kinds":["ip"],"person":{"inn":"500100732259","sub":"x"},"expires_in":60}`,
		`{"state":"s","document":{"name":"a","media_type":"a/b","content":"YQ=="}}`,
		`{"state":"s","document":{"name":"a","media_type":"a/b","size":1,"streebog256":"` + strings.Repeat("00", 32) + `","streebog512":"` + strings.Repeat("00", 64) + `"}}`,
		`{"text":"a","text":"b"}`, `[]`, `{"a":{"b":{"c":{"d":{}}}}}`, `{"Text":"a"}`,
	} {
		f.Add(seed)
	}
	now := time.Unix(1772366400, 0).UTC()
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, pathOrders, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		in, err := readOrder(r)
		if err == nil {
			o := Order{Kinds: []person.Kind{person.Entrepreneur}}
			if err = errors.Join(o.mustSign(in.Person), o.whatToSign(in)); err == nil {
				checkOrder(t, o, now)
			}
		}
		if err != nil && reason.Of(err) == reason.InternalError {
			t.Fatal(err)
		}
	})
}

// checkOrder makes the request of an order.
func checkOrder(t *testing.T, o Order, now time.Time) {
	t.Helper()
	c := &Challenge{opts: Options{Issuer: "https://gateway.example", Services: map[string]string{"": "Сервис"}, Now: func() time.Time { return now }}}
	st := c.newState(strings.Repeat("A", 43), &orderJob{c, o}, [32]byte{})
	r, err := st.issue(now)
	if err != nil {
		t.Fatalf("the agent would not take it: %v", err)
	}
	if (r.Document == nil) != (r.Purpose == signrequest.SignText) {
		t.Fatalf("request %+v", r)
	}
}
