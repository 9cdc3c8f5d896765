package tokens

import (
	"bytes"
	"slices"
)

// withData adds to certificates those that are kept as data objects, where the library
// shows no other (Model.DataCertificates): OpenSC knows the identifier of keys of 2001
// only, and hides a certificate with a later one (src/libopensc/pkcs15-algo.c), but it
// shows what `pkcs15-init --store-data` has put on the card. Other data is left alone.
func (s *Session) withData(lib library, all [][]byte) ([][]byte, error) {
	if !s.token.model().DataCertificates {
		return all, nil
	}
	objects, err := lib.find(s.handle, []attribute{{attrClass, number(classData)}})
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		der, err := lib.attribute(s.handle, object, attrValue)
		if err != nil {
			return nil, err
		}
		known := slices.ContainsFunc(all, func(c []byte) bool { return bytes.Equal(c, der) })
		if len(der) <= maxCertificate && !known && keyOfCertificate(der) != nil {
			all = append(all, der)
		}
	}
	return all, nil
}
