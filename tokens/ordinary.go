package tokens

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/reason"
)

// Numbers of PKCS #11 v2.40 for keys of ECDSA and RSA.
const (
	keyRSA = 0x000
	keyEC  = 0x003

	attrModulus        = 0x120
	attrPublicExponent = 0x122
	attrECParams       = 0x180
	attrECPoint        = 0x181

	signRSA   = 0x0001 // CKM_RSA_PKCS, over a DigestInfo
	signPSS   = 0x000D // CKM_RSA_PKCS_PSS, over a digest
	signECDSA = 0x1041 // CKM_ECDSA, over a digest
)

// Limits on RSA keys: shorter ones are broken, longer ones keep a token busy. In bits.
const (
	minRSA = 2048
	maxRSA = 8192
)

// Signer is a private key of ECDSA (P-256, P-384) or RSA inside a token. It is a
// crypto.Signer, safe for concurrent use, and works as long as its session is open and
// the token connected.
type Signer struct {
	session      *Session
	object       uint
	id           []byte
	label        string
	public       crypto.PublicKey
	certificates [][]byte
}

// Signers returns the private keys of ECDSA and RSA on the token whose public half is
// there too, in a certificate or by itself. Others cannot be used and are left out.
func (s *Session) Signers() ([]*Signer, error) {
	return privateKeys(s, func(lib library, object uint) (*Signer, bool, error) {
		k := &Signer{session: s, object: object}
		err := k.read(lib)
		return k, k.public != nil, err
	})
}

// ID is CKA_ID: what ties a key, its public half and its certificate together.
func (k *Signer) ID() []byte { return k.id }

// Label is the name of the key; it may be empty.
func (k *Signer) Label() string { return k.label }

// Certificates returns the certificates of the key on the token, in DER.
func (k *Signer) Certificates() [][]byte { return k.certificates }

// Public implements crypto.Signer; the key is an *ecdsa.PublicKey or an *rsa.PublicKey.
func (k *Signer) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer: ECDSA in DER; for RSA PKCS #1 v1.5, or PSS if opts is an
// *rsa.PSSOptions, over SHA-256, SHA-384 or SHA-512. The random is the token's own. The
// signature has been verified: what a token gets wrong is not passed on.
//
// The error is a *reason.Error: reason.TokenRemoved, reason.TokenSignatureBad,
// reason.TokenUnsupported for another hash, reason.TokenFailed.
func (k *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	var hash crypto.Hash
	if opts != nil {
		hash = opts.HashFunc()
	}
	if digestInfos[hash] == nil || len(digest) != hash.Size() {
		return nil, reason.Errorf(reason.TokenUnsupported, "a digest of %d bytes by hash %d", len(digest), uint(hash))
	}
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		return k.signECDSA(public, digest)
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return k.signPSS(public, digest, pss)
		}
		signature, err := k.sign(mechanism{kind: signRSA}, slices.Concat(digestInfos[hash], digest))
		if err != nil {
			return nil, err
		}
		return good(signature, rsa.VerifyPKCS1v15(public, hash, digest, signature))
	}
	return nil, reason.Errorf(reason.TokenUnsupported, "a key of %T", k.public)
}

func (k *Signer) sign(m mechanism, data []byte) (signature []byte, err error) {
	err = k.session.do(func(lib library) error {
		signature, err = lib.sign(k.session.handle, m, k.object, data)
		return err
	})
	return signature, err
}

// good returns a signature that was verified.
func good(signature []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, reason.Errorf(reason.TokenSignatureBad, "%d bytes: %w", len(signature), err)
	}
	return signature, nil
}

// signECDSA turns r and s, each as long as the order (PKCS #11 v2.40, 2.3.1), into the
// DER of RFC 3279, Section 2.2.3. Of a longer digest only the first bits count, and some
// tokens refuse the others.
func (k *Signer) signECDSA(public *ecdsa.PublicKey, digest []byte) ([]byte, error) {
	size := (public.Params().N.BitLen() + 7) / 8
	raw, err := k.sign(mechanism{kind: signECDSA}, digest[:min(len(digest), size)])
	if err != nil {
		return nil, err
	}
	if len(raw) != 2*size {
		return nil, reason.Errorf(reason.TokenSignatureBad, "%d bytes", len(raw))
	}
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[:size]))
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[size:]))
	})
	signature, err := b.Bytes()
	if err != nil || !ecdsa.VerifyASN1(public, digest, signature) {
		return nil, reason.Errorf(reason.TokenSignatureBad, "%d bytes", len(raw))
	}
	return signature, nil
}

// signPSS takes the salt length as crypto/rsa does (RFC 8017, Section 8.1).
func (k *Signer) signPSS(public *rsa.PublicKey, digest []byte, opts *rsa.PSSOptions) ([]byte, error) {
	hash := opts.Hash
	salt := opts.SaltLength
	switch salt {
	case rsa.PSSSaltLengthEqualsHash:
		salt = hash.Size()
	case rsa.PSSSaltLengthAuto:
		salt = (public.N.BitLen()-1+7)/8 - 2 - hash.Size()
	}
	numbers := map[crypto.Hash][2]uint{ // CKM_SHA…, CKG_MGF1_SHA…
		crypto.SHA256: {0x250, 2}, crypto.SHA384: {0x260, 3}, crypto.SHA512: {0x270, 4},
	}[hash]
	if salt < 0 {
		return nil, reason.Errorf(reason.TokenUnsupported, "a salt of %d bytes", salt)
	}
	parameter := slices.Concat(number(numbers[0]), number(numbers[1]), number(uint(salt)))
	signature, err := k.sign(mechanism{kind: signPSS, parameter: parameter}, digest)
	if err != nil {
		return nil, err
	}
	return good(signature, rsa.VerifyPSS(public, hash, digest, signature, &rsa.PSSOptions{SaltLength: salt}))
}

// digestInfos are the beginnings of DigestInfo (RFC 8017, Section 9.2, Note 1).
var digestInfos = map[crypto.Hash][]byte{
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

// read fills in what the token says about the key. A key that is not of ours stays
// without public half.
func (k *Signer) read(lib library) error {
	s := k.session
	kind, err := lib.attribute(s.handle, k.object, attrKeyType)
	if err != nil {
		return err
	}
	if n := numberOf(kind); n != keyRSA && n != keyEC {
		return nil
	}
	if k.id, err = lib.attribute(s.handle, k.object, attrID); err != nil {
		return err
	}
	label, err := lib.attribute(s.handle, k.object, attrLabel)
	if err != nil {
		return err
	}
	k.label = clean(string(label))
	if numberOf(kind) == keyRSA {
		k.public, err = rsaPublic(lib, s.handle, k.object)
	}
	if err != nil || k.id == nil {
		return err
	}
	if k.public == nil {
		if k.public, err = s.ordinaryPublic(lib, numberOf(kind), k.id); err != nil {
			return err
		}
	}
	certificates, err := s.certificates(lib, k.id)
	if err != nil {
		return err
	}
	for _, der := range certificates {
		k.take(der, numberOf(kind))
	}
	return nil
}

// take keeps a certificate of the key, which may be where the public half comes from.
func (k *Signer) take(der []byte, kind uint) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return
	}
	switch public := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if kind != keyRSA || k.public != nil && !public.Equal(k.public) || !usableRSA(public) {
			return
		}
		k.public = public
	case *ecdsa.PublicKey:
		if kind != keyEC || k.public != nil && !public.Equal(k.public) || !usableCurve(public.Curve) {
			return
		}
		k.public = public
	default:
		return
	}
	k.certificates = append(k.certificates, der)
}

// ordinaryPublic returns the public key object with the given CKA_ID; nil if there is
// none that can be used.
func (s *Session) ordinaryPublic(lib library, kind uint, id []byte) (crypto.PublicKey, error) {
	objects, err := lib.find(s.handle, []attribute{{attrClass, number(classPublicKey)}, {attrKeyType, number(kind)}, {attrID, id}})
	if err != nil {
		return nil, err
	}
	read := ecPublic
	if kind == keyRSA {
		read = rsaPublic
	}
	for _, object := range objects {
		if key, err := read(lib, s.handle, object); err != nil || key != nil {
			return key, err
		}
	}
	return nil, nil
}

// rsaPublic reads the numbers of an RSA key, which private key objects have as well.
func rsaPublic(lib library, session, object uint) (crypto.PublicKey, error) {
	modulus, err := lib.attribute(session, object, attrModulus)
	if err != nil {
		return nil, err
	}
	exponent, err := lib.attribute(session, object, attrPublicExponent)
	if err != nil || len(exponent) == 0 || len(modulus) > maxRSA/8+1 {
		return nil, err
	}
	e := new(big.Int).SetBytes(exponent)
	if e.BitLen() > 31 {
		return nil, nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(e.Int64())}
	if !usableRSA(key) {
		return nil, nil
	}
	return key, nil
}

func usableRSA(key *rsa.PublicKey) bool {
	bits := key.N.BitLen()
	return bits >= minRSA && bits <= maxRSA && key.N.Bit(0) == 1 && key.E >= 3 && key.E%2 == 1
}

func usableCurve(c elliptic.Curve) bool { return c == elliptic.P256() || c == elliptic.P384() }

// ecPublic reads a public key of ECDSA. CKA_EC_POINT is the OCTET STRING of X9.62 or, in
// some tokens, its content.
func ecPublic(lib library, session, object uint) (crypto.PublicKey, error) {
	params, err := lib.attribute(session, object, attrECParams)
	if err != nil {
		return nil, err
	}
	raw, err := lib.attribute(session, object, attrECPoint)
	if err != nil {
		return nil, err
	}
	curve := namedCurve(params)
	if curve == nil {
		return nil, nil
	}
	var content cryptobyte.String
	if s := cryptobyte.String(raw); s.ReadASN1(&content, tag.OCTET_STRING) && s.Empty() {
		raw = content
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, raw)
	if err != nil {
		return nil, nil //nolint:nilerr // a key that cannot be used is not there
	}
	return key, nil
}

// namedCurve reads CKA_EC_PARAMS; nil if the curve is not of ours.
func namedCurve(params []byte) elliptic.Curve {
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(params, &oid); err != nil || len(rest) != 0 {
		return nil
	}
	switch { // RFC 5480, Section 2.1.1.1
	case oid.Equal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}):
		return elliptic.P256()
	case oid.Equal(asn1.ObjectIdentifier{1, 3, 132, 0, 34}):
		return elliptic.P384()
	}
	return nil
}
