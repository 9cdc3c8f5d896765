package challenge

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/oidc"
	"propusk/server/request"
)

// Limits of an answer, in bytes. A signature beside its document is 3 to 8 KiB long.
const (
	maxAnswer     = 32 << 10 // DER
	maxAnswerForm = 96 << 10 // base64 in a form, every third character escaped
)

// receive keeps an answer. Nothing is judged here: the post may come from anybody.
func (c *Challenge) receive(x *gin.Context) {
	form, err := postForm(x.Request, "state", "?signature", "?error")
	if err == nil {
		err = c.mayAnswer(x.Request)
	}
	if err != nil {
		c.refuse(x, "challenge", err)
		return
	}
	st, err := c.states.find(form.Get("state"))
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	request.From(x.Request.Context()).Client = st.job.client()
	if err := st.attempt(); err != nil {
		c.refuseState(x, st, err)
		return
	}
	a, err := readAnswer(form)
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	bearer, err := c.states.answer(request.Network(x.Request.RemoteAddr), st, a)
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	x.Redirect(http.StatusSeeOther, pathSigned+"?"+url.Values{"state": {st.key}, "answer": {bearer}}.Encode())
}

// complete judges an answer, where the cookie of the browser that began and the key of
// the answer meet.
func (c *Challenge) complete(x *gin.Context) {
	query := x.Request.URL.Query()
	key, ok := single(query["state"])
	if !ok {
		c.refuse(x, "challenge", reason.New(reason.ChallengeUnknown, nil))
		return
	}
	st, err := c.states.find(key)
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	request.From(x.Request.Context()).Client = st.job.client()
	bearer, _ := single(query["answer"])
	file, err := c.states.take(st, bearer, oidc.SameBrowser(x.Request, st.browser))
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	st.job.complete(x, st, file)
}

// refuseState refuses what has to do with a state, which may be nil. Only the browser
// that began is told where to start again.
func (c *Challenge) refuseState(x *gin.Context, st *state, err error) {
	if st == nil {
		c.refuse(x, "challenge", err)
		return
	}
	if !oidc.SameBrowser(x.Request, st.browser) {
		c.refuse(x, st.job.subject(), err)
		return
	}
	c.refuse(x, st.job.subject(), err, append(st.job.leave(), againLink(st.job))...)
}

// readAnswer reads a signature in base64, or what went wrong.
func readAnswer(form url.Values) (answer, error) {
	text, failure := form.Get("signature"), form.Get("error")
	switch {
	case form.Has("signature") == form.Has("error"):
		return answer{}, reason.Errorf(reason.RequestFieldMissing, "one of the fields signature and error is wanted")
	case failure == "cancelled":
		return answer{failure: reason.ChallengeCancelled}, nil
	case failure == "failed":
		return answer{failure: reason.ChallengeAgentFailed}, nil
	case failure != "":
		return answer{}, reason.Errorf(reason.RequestFieldBad, "the field error must be cancelled or failed")
	case text == "":
		return answer{}, reason.Errorf(reason.RequestFieldMissing, "the field signature is empty")
	}
	// Plug-ins break lines; package base64 skips line ends, and nothing else.
	file, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return answer{}, reason.Errorf(reason.RequestBase64, "the field signature is not whole base64")
	}
	if len(file) > maxAnswer {
		return answer{}, reason.Errorf(reason.RequestTooLarge, "the signature is longer than %d bytes", maxAnswer)
	}
	return answer{file: file}, nil
}

// mayAnswer refuses a post from the page of another site. An agent's page sends no
// referrer, so its origin is null; ours is null for the same reason, or our own.
func (c *Challenge) mayAnswer(r *http.Request) error {
	allowed := []string{"null", c.opts.Issuer}
	for _, port := range c.opts.AgentPorts {
		allowed = append(allowed, agentOrigin(port))
	}
	if origin, ok := single(r.Header.Values("Origin")); !ok || !slices.Contains(allowed, origin) {
		return reason.Errorf(reason.ChallengeOrigin, "the origin is absent or that of another site")
	}
	return nil
}

// ownPage refuses what another page than ours posted. The cookie, which is lax, does not
// come with such a post in the first place.
func ownPage(r *http.Request, issuer string) error {
	origin, ok := single(r.Header.Values("Origin"))
	site := r.Header.Get("Sec-Fetch-Site")
	if !ok || origin != "null" && origin != issuer || site != "" && site != "same-origin" {
		return reason.Errorf(reason.ChallengeOrigin, "the origin is absent or that of another site")
	}
	return nil
}

// agentOrigin is the origin of an agent.
func agentOrigin(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }

// postForm reads a form of the fields named, each once and no others. A name that begins
// with a question mark may be absent.
func postForm(r *http.Request, fields ...string) (url.Values, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || media != "application/x-www-form-urlencoded" || len(r.Header.Values("Content-Type")) != 1 ||
		charset != "" && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return nil, reason.Errorf(reason.MediaTypeUnsupported, "a form in application/x-www-form-urlencoded is wanted")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return nil, reason.New(reason.RequestTooLarge, nil)
		}
		return nil, reason.New(reason.RequestIncomplete, nil)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, reason.Errorf(reason.RequestMalformed, "the form cannot be read")
	}
	known := 0
	for _, field := range fields {
		name, optional := strings.CutPrefix(field, "?")
		switch {
		case len(form[name]) > 1:
			return nil, reason.Errorf(reason.RequestFieldRepeated, "the field %q is there twice", name)
		case len(form[name]) == 1:
			known++
		case !optional:
			return nil, reason.Errorf(reason.RequestFieldMissing, "the field %q is absent", name)
		}
	}
	if known != len(form) {
		return nil, reason.Errorf(reason.RequestFieldUnknown, "the form has a field that is not wanted")
	}
	return form, nil
}
