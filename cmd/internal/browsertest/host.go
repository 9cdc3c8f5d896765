package browsertest

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // CryptoPro names certificates by it
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
)

// Holder is somebody whose token the fake plug-ins can use.
type Holder struct {
	ID          string
	Certificate *gostx509.Certificate
	Key         *gost3410.PrivateKey
}

// Host stands for the programs of vendors behind their browser extensions: it signs with
// the keys of people, as CAdES-BES by GOST. What it is asked, and what it answers, the
// scripts turn into the words of each plug-in.
type Host struct {
	URL     string
	holders map[string]Holder
}

// NewHost starts a host. It ends with the test.
func NewHost(t testing.TB, holders ...Holder) *Host {
	t.Helper()
	h := &Host{holders: make(map[string]Holder)}
	for _, one := range holders {
		h.holders[one.ID] = one
	}
	server := httptest.NewServer(http.HandlerFunc(h.sign))
	t.Cleanup(server.Close)
	h.URL = server.URL
	return h
}

// Certificates are what the scripts need to know of people.
func (h *Host) Certificates() []map[string]string {
	list := make([]map[string]string, 0, len(h.holders))
	for id, one := range h.holders {
		sum := sha1.Sum(one.Certificate.Raw) //nolint:gosec // CryptoPro names certificates by it
		list = append(list, map[string]string{
			"id": id, "thumbprint": hex.EncodeToString(sum[:]),
			"der": base64.StdEncoding.EncodeToString(one.Certificate.Raw),
		})
	}
	return list
}

// order is what a script wants signed: content, or its digest in hexadecimal.
type order struct {
	ID      string `json:"id"`
	Content []byte `json:"content"`
	Digest  string `json:"digest"`
}

// sign answers a script with a signature in base64.
func (h *Host) sign(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	holder, ok := h.holders[o.ID]
	if !ok {
		http.Error(w, "nobody of this name", http.StatusNotFound)
		return
	}
	by := cms.Signatory{Key: holder.Key, Certificate: holder.Certificate, Time: time.Now().Truncate(time.Second)}
	signature, err := signOrder(o, by)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write([]byte(base64.StdEncoding.EncodeToString(signature))) //nolint:errcheck // the script notices
}

func signOrder(o order, by cms.Signatory) ([]byte, error) {
	if o.Digest == "" {
		return cms.CreateDetached(nil, bytes.NewReader(o.Content), by)
	}
	digest, err := hex.DecodeString(o.Digest)
	if err != nil {
		return nil, err
	}
	digests := cms.Digests{Streebog256: digest}
	if len(digest) == 64 {
		digests = cms.Digests{Streebog512: digest}
	}
	return cms.CreateDigest(nil, digests, by)
}
