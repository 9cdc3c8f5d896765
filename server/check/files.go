package check

import (
	"encoding/hex"
	"strings"

	"github.com/gin-gonic/gin"
	"go.mozilla.org/pkcs7"

	"propusk/certs"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/reason"
)

// Endings of the files that people install.
const (
	endingCER = ".cer" // one certificate, DER
	endingP7B = ".p7b" // it and those above it, PKCS #7 without a signature (RFC 5652, 5.2)
)

const filesPath = "/check/files/"

// file serves the certificate of a CA of the trust data, by its SHA-256, or that with the
// ones above it up to the root.
func (c *Check) file(x *gin.Context) {
	name := x.Param("file")
	var data []byte
	var media string
	var err error
	snap := c.opts.Trust.Store.Current()
	if sum, ok := strings.CutSuffix(name, endingCER); ok {
		media = "application/pkix-cert"
		data, err = certificateOf(snap, sum)
	} else if sum, ok := strings.CutSuffix(name, endingP7B); ok {
		media = "application/x-pkcs7-certificates"
		data, err = c.chainOf(snap, sum)
	} else {
		err = reason.New(reason.CheckFileUnknown, nil)
	}
	if err != nil {
		c.refuse(x, err)
		return
	}
	h := x.Writer.Header()
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`) // of hexadecimal digits
	h.Set("Cache-Control", "public, max-age=3600")
	x.Data(200, media, data)
}

// authority returns a CA of the trust data by its SHA-256 in hexadecimal.
func authority(snap *certs.Snapshot, sum string) (*gostx509.Certificate, error) {
	if raw, err := hex.DecodeString(sum); err == nil && len(raw) == 32 && sum == strings.ToLower(sum) {
		trust := snap.Trust()
		for _, pool := range []*path.Pool{trust.Roots, trust.Intermediates} {
			for _, ca := range pool.Certificates() {
				if ca.SHA256() == [32]byte(raw) {
					return ca, nil
				}
			}
		}
	}
	return nil, reason.New(reason.CheckFileUnknown, nil)
}

func certificateOf(snap *certs.Snapshot, sum string) ([]byte, error) {
	ca, err := authority(snap, sum)
	if err != nil {
		return nil, err
	}
	return ca.Raw, nil
}

// chainOf returns a CA and those above it. Whether they were revoked is not asked: the file
// makes nobody trusted, the roots of the person do.
func (c *Check) chainOf(snap *certs.Snapshot, sum string) ([]byte, error) {
	ca, err := authority(snap, sum)
	if err != nil {
		return nil, err
	}
	trust := snap.Trust()
	built := path.Build(ca, path.Options{
		Roots: trust.Roots, Intermediates: trust.Intermediates, At: c.opts.Now(), InsecureSkipValidity: true,
		Revocation: path.InsecureSkipRevocation{}, Facts: trust.Facts,
	})
	var all []byte
	for _, one := range built.Chain {
		all = append(all, one.Raw...)
	}
	return pkcs7.DegenerateCertificate(all)
}
