package cms

import (
	"slices"

	"propusk/pki/der"
)

// Bundle returns the certificates of a file, in DER and in the order of the file.
// It takes the forms in which people have them: DER or base64 of one certificate,
// PEM with one or more, or a certs-only message in any form that [Parse] reads,
// which is SignedData without signers (RFC 5652, Section 5; files .p7b and .p7c).
// The certificates themselves are not looked at; a message that has signers or no
// certificates is an error. The slices point into data where it is DER.
func Bundle(data []byte) ([][]byte, error) {
	blocks, err := der.DecodeAll(data, append([]string{"CERTIFICATE", "X509 CERTIFICATE"}, pemLabels...)...)
	if err != nil {
		return nil, err
	}
	var certs [][]byte
	for _, block := range blocks {
		if !isContentInfo(block) {
			certs = append(certs, block)
			continue
		}
		var sd SignedData
		if err := sd.parseAnyEncoding(block); err != nil {
			return nil, parseError(err)
		}
		if len(sd.Signers) > 0 || len(sd.Certificates) == 0 {
			return nil, errNotBundle
		}
		certs = slices.Concat(certs, sd.Certificates)
	}
	return certs, nil
}

// isContentInfo tells a ContentInfo from a certificate: the one begins with an
// OBJECT IDENTIFIER, the other with a SEQUENCE.
func isContentInfo(block []byte) bool {
	const shortLength = 0x80
	if len(block) < 2 {
		return false
	}
	header := 2
	if block[1] > shortLength { // RFC 5652 allows BER: 0x80 alone is the indefinite length
		header += int(block[1] - shortLength)
	}
	return header < len(block) && block[header] == byte(der.TagOID)
}
