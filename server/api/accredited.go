package api

import (
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/report"
	"propusk/pki/tsl"
	"propusk/pki/validate"
)

// AccreditedCAs is the list of accredited certification authorities as we see
// it: what certificates are judged by.
type AccreditedCAs struct {
	// Trust says which list this is and how old.
	Trust report.Trust `json:"trust"`
	// At is the moment for which InForce holds.
	At time.Time `json:"at"`
	// CAs are all CAs of the list, in its order.
	CAs []AccreditedCA `json:"cas"`
}

// AccreditedCA is one certification authority. These are data of organisations
// that the state publishes.
type AccreditedCA struct {
	Name           string     `json:"name"`
	OGRN           string     `json:"ogrn"`
	RegistryNumber string     `json:"registry_number,omitempty"`
	InForce        bool       `json:"in_force"`
	Status         string     `json:"status"`
	Since          *time.Time `json:"since,omitempty"`
	// SuccessorOGRN is that of the CA, accredited at the moment, to which the powers of
	// one whose accreditation has ended were transferred: its certificates are good.
	SuccessorOGRN string `json:"successor_ogrn,omitempty"`
	// KeyIDs are the identifiers of the keys, in hexadecimal: what certificates name
	// their CA by (authorityKeyIdentifier).
	KeyIDs []string `json:"key_ids,omitempty"`
}

// accredited answers with the list in force, or with a problem document when
// there is none or it is stale: an old list must not look like a new one.
func (a *API) accredited(c *gin.Context) {
	snap, err := a.opts.Trust.Current()
	if err != nil {
		Refuse(c.Writer, c.Request, err)
		return
	}
	t, now := snap.Trust(), a.opts.Now()
	out := AccreditedCAs{
		Trust: trustOf(basis{shown: t, now: now}),
		At:    now.UTC(),
		CAs:   []AccreditedCA{},
	}
	for _, ca := range t.Accredited.Content().CAs {
		st := ca.Accredited(now)
		item := AccreditedCA{Name: ca.Name, OGRN: ca.OGRN, RegistryNumber: ca.RegistryNumber, InForce: st.InForce, Status: st.Value}
		if !st.Since.IsZero() {
			item.Since = &st.Since
		}
		if heir, found := t.Accredited.Heir(ca, now); found && !st.InForce {
			item.SuccessorOGRN = heir.OGRN
		}
		item.KeyIDs = keyIDs(ca)
		out.CAs = append(out.CAs, item)
	}
	c.JSON(http.StatusOK, out)
}

// keyIDs returns the identifiers of the keys of a CA, each once.
func keyIDs(ca *tsl.CA) []string {
	var ids []string
	for key := range ca.Keys() {
		id := hex.EncodeToString(key.ID)
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// trustOf describes the trust data that answers show.
func trustOf(by basis) report.Trust {
	d := report.Signatures(validate.Report{}, by.shown, by.now)
	return d.Trust
}
