package challenge

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"

	"propusk/gost/streebog"
	"propusk/pki/reason"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/signrequest"
)

// maxGET is how long a request to an agent may be to travel in a URL; a longer one is
// posted.
const maxGET = 4 << 10

// mine finds the state of a request, whose browser must be the one that began.
func (c *Challenge) mine(x *gin.Context) (*state, error) {
	key, ok := single(x.Request.URL.Query()["state"])
	if !ok {
		return nil, reason.New(reason.ChallengeUnknown, nil)
	}
	st, err := c.states.find(key)
	if st != nil && !oidc.SameBrowser(x.Request, st.browser) {
		return st, reason.New(reason.ChallengeOtherBrowser, nil)
	}
	if st != nil {
		request.From(x.Request.Context()).Client = st.job.client()
	}
	return st, err
}

// wait shows the page that stays while the agent works in another tab. It never completes
// anything: whoever waits need not be who signs.
func (c *Challenge) wait(x *gin.Context) {
	st, err := c.mine(x)
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	w := page.Waiting{
		What: description(st.request), Gateway: c.opts.Issuer, Status: pathStatus + "?state=" + st.key, Again: againLink(st.job),
		Until: st.began.Add(Life), Done: st.progress() != open,
	}
	for i, port := range c.opts.AgentPorts {
		w.Agents = append(w.Agents, page.Agent{
			Address: "127.0.0.1:" + strconv.Itoa(port), URL: pathOpen + "?" + url.Values{"state": {st.key}, "agent": {strconv.Itoa(i)}}.Encode(),
		})
	}
	page.Written(x.Writer, x.Request, c.opts.Pages.Waiting(x.Writer, x.Request, w))
}

// status tells the waiting page how far the state is.
func (c *Challenge) status(x *gin.Context) {
	st, err := c.mine(x)
	if err != nil {
		request.From(x.Request.Context()).Code = reason.Of(err)
		x.JSON(http.StatusOK, gin.H{"phase": "over"})
		return
	}
	x.JSON(http.StatusOK, gin.H{"phase": [...]string{open: "open", answered: "answered", used: "done"}[st.progress()]})
}

// open sends the browser to the agent with a fresh request.
func (c *Challenge) open(x *gin.Context) {
	st, err := c.mine(x)
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	i, err := strconv.Atoi(x.DefaultQuery("agent", "0"))
	if err != nil || i < 0 || i >= len(c.opts.AgentPorts) {
		c.refuseState(x, st, reason.Errorf(reason.RequestFieldBad, "there is no such agent"))
		return
	}
	r, err := st.issue(c.opts.Now())
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	jws, err := signrequest.Sign(r, c.opts.Keys[0])
	if err != nil {
		// Ours, which may be in a token of ours: what is wrong with that is no advice for a
		// person with a token of his own.
		c.refuseState(x, st, reason.New(reason.InternalError, err))
		return
	}
	agent := agentOrigin(c.opts.AgentPorts[i])
	if len(jws) <= maxGET {
		x.Redirect(http.StatusSeeOther, agent+"/sign?request="+jws)
		return
	}
	page.Written(x.Writer, x.Request, c.opts.Pages.Post(x.Writer, x.Request, page.Post{Origin: agent, Path: "/sign", Request: jws}))
}

// plugin shows the page on which a plug-in signs.
func (c *Challenge) plugin(x *gin.Context) {
	st, err := c.mine(x)
	if err == nil && !st.plugin {
		err = reason.Errorf(reason.ChallengeUnknown, "it was begun for an agent")
	}
	if err == nil {
		_, err = st.issue(c.opts.Now())
	}
	if err != nil {
		c.refuseState(x, st, err)
		return
	}
	content := st.request.Content()
	p := page.Signing{
		What: description(st.request), Content: content, State: st.key, Purpose: string(st.request.Purpose),
		Kinds: st.request.Kinds, Again: againLink(st.job),
	}
	if d := st.request.Document; d != nil {
		p.Digest256, p.Digest512 = d.Streebog256, d.Streebog512
	} else {
		d256, d512 := streebog.Sum256(content), streebog.Sum512(content)
		p.Digest256, p.Digest512 = d256[:], d512[:]
	}
	page.Written(x.Writer, x.Request, c.opts.Pages.Signing(x.Writer, x.Request, p))
}

// description tells a person what he is asked to sign.
func description(r signrequest.Request) page.ToSign {
	t := page.ToSign{Service: r.Service, Text: string(r.Content()), SignIn: r.Purpose == signrequest.SignIn}
	if d := r.Document; d != nil {
		t.Name, t.Size, t.Streebog256, t.Streebog512 = d.Name, d.Size, d.Streebog256, d.Streebog512
	}
	return t
}
