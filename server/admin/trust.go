package admin

import (
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/certs"
	"propusk/certs/refresh"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/trust"
)

// TrustReport is the answer of /trust: all about the trust data.
type TrustReport struct {
	Trust       Trust            `json:"trust"`
	CRLs        []CRL            `json:"revocation_lists"`
	Quarantined []Quarantined    `json:"quarantined"`
	Fetching    *refresh.Status  `json:"fetching,omitempty"` // absent if nothing is fetched
	UnknownCAs  []trust.Stranger `json:"unknown_cas"`
}

// CRL is a revocation list that is good.
type CRL struct {
	// CA is the common name of its issuer, KeyID the key identifier in hexadecimal.
	CA    string `json:"ca"`
	KeyID string `json:"key_id,omitempty"`
	// File is where it was read from.
	File       string     `json:"file"`
	SHA256     string     `json:"sha256"`
	Entries    int        `json:"entries"`
	ThisUpdate time.Time  `json:"this_update"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
	// AgeSeconds is how long ago it was issued.
	AgeSeconds int64 `json:"age_seconds"`
	// Stale means that it is past its nextUpdate.
	Stale bool `json:"stale"`
}

// Quarantined is a file that was set aside.
type Quarantined struct {
	File string      `json:"file"`
	Code reason.Code `json:"code"`
}

// describe tells what /readyz says about a snapshot.
func (a Admin) describe(snap *certs.Snapshot, now time.Time) Trust {
	t := Trust{
		ID:              snap.ID(),
		AgeSeconds:      int64(snap.Age(now) / time.Second),
		QuarantinedCRLs: len(snap.Quarantined()),
		StaleCRLs:       len(snap.Stale(now)),
		OrphanCAs:       len(snap.Orphans()),
	}
	if a.StateError != nil {
		t.StateCode = reason.Of(a.StateError())
	}
	t.UnknownCAs, _ = a.Strangers.Count()
	if list := snap.Trust().Accredited; list != nil {
		date, age := list.Date(), now.Sub(list.Date())
		t.ListVersion, t.ListDate, t.ListAgeSeconds = list.Version(), &date, int64(age/time.Second)
	}
	for _, l := range snap.RevocationLists() {
		t.CRLs++
		if t.OldestCRL == nil || l.ThisUpdate.Before(*t.OldestCRL) {
			t.OldestCRL = &l.ThisUpdate
		}
		if !l.NextUpdate.IsZero() && (t.NextCRL == nil || l.NextUpdate.Before(*t.NextCRL)) {
			t.NextCRL = &l.NextUpdate
		}
	}
	if a.Refresher != nil {
		s := a.Refresher.Status()
		t.Refresh = &Refresh{Ended: s.Ended, Next: s.Next, Lists: len(s.Lists), Failing: s.Failing}
	}
	return t
}

// trust answers everything about the trust data.
func (a Admin) trust(c *gin.Context) {
	snap, _ := a.Trust() // why nobody may be let in is what /readyz is for
	now := a.Now()
	out := TrustReport{Trust: a.describe(snap, now), CRLs: []CRL{}, Quarantined: []Quarantined{}, UnknownCAs: a.Strangers.All()}
	for _, l := range snap.RevocationLists() {
		one := CRL{
			CA: l.Issuer.Subject.Get(gostx509.OIDCommonName), KeyID: hex.EncodeToString(l.Issuer.SubjectKeyID),
			File: l.Path, SHA256: hex.EncodeToString(l.SHA256[:]), Entries: l.Entries,
			ThisUpdate: l.ThisUpdate, AgeSeconds: int64(now.Sub(l.ThisUpdate) / time.Second), Stale: !now.Before(l.NextUpdate),
		}
		if !l.NextUpdate.IsZero() {
			one.NextUpdate = &l.NextUpdate
		}
		out.CRLs = append(out.CRLs, one)
	}
	for _, q := range snap.Quarantined() {
		out.Quarantined = append(out.Quarantined, Quarantined{File: q.Path, Code: q.Code})
	}
	if a.Refresher != nil {
		s := a.Refresher.Status()
		out.Fetching = &s
	}
	c.JSON(http.StatusOK, out)
}

// refresh has everything fetched now and answers at once; /trust says what came of
// it. The page of another site in the browser of an operator cannot ask for it.
func (a Admin) refresh(c *gin.Context) {
	refuse := func(code reason.Code, detail string) {
		e := request.From(c.Request.Context())
		e.Code = code
		problem.Write(c.Writer, problem.New(code, detail, e.ID))
	}
	if err := http.NewCrossOriginProtection().Check(c.Request); err != nil {
		refuse(reason.PageNotFound, "this is not for pages of other sites")
		return
	}
	if a.Refresher == nil {
		refuse(reason.TrustNotFetched, "trust.state_dir is not set in the configuration")
		return
	}
	a.Refresher.Ask()
	c.JSON(http.StatusAccepted, map[string]bool{"asked": true})
}
