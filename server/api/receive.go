package api

import (
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/apikey"
)

// Long documents may take longer than other requests, but not for ever: who sends
// slower than slowestUpload, in bytes a second, after the first patience, is cut off.
const (
	patience      = 2 * time.Minute
	slowestUpload = 64 << 10
	// afterUpload is how long the answer may take after the last byte.
	afterUpload = 3 * time.Minute
	// renewEvery is after how many bytes the deadline is moved.
	renewEvery = 4 << 20
)

// receive bounds the body of a request, counts it for the quota, and moves the
// deadlines of the connection while it arrives. A body that says that it is too long is
// not waited for.
func (a *API) receive(c *gin.Context, visit *apikey.Visit) error {
	if c.Request.ContentLength > a.opts.MaxDocument {
		return reason.Errorf(reason.RequestTooLarge, "the body is longer than the limit")
	}
	c.Request.Body = &arrival{
		ReadCloser: http.MaxBytesReader(c.Writer, c.Request.Body, a.opts.MaxDocument),
		visit:      visit, connection: http.NewResponseController(c.Writer),
		start: time.Now(), // the clock of connections, whatever the gateway takes for the time
	}
	return nil
}

// arrival is a body on its way in.
type arrival struct {
	io.ReadCloser
	visit      *apikey.Visit
	connection *http.ResponseController
	start      time.Time
	bytes      int64
	renewed    int64 // bytes at the last renewal
}

// Read implements io.Reader.
func (a *arrival) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.visit.Took(int64(n))
	if a.bytes += int64(n); a.bytes-a.renewed >= renewEvery {
		a.renewed = a.bytes
		a.renew()
	}
	return n, err
}

// renew gives the rest of the body as much time as what came has earned. Where
// connections have no deadlines, there is nothing to move.
func (a *arrival) renew() {
	until := a.start.Add(patience + time.Duration(a.bytes/slowestUpload)*time.Second)
	if a.connection.SetReadDeadline(until) == nil {
		a.connection.SetWriteDeadline(until.Add(afterUpload)) //nolint:errcheck // it was possible for reading
	}
}
