package sigalg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"

	"propusk/gost/gost3410"
)

// Limits of the length of an RSA modulus, in bits.
const (
	// MinRSABits is the least one; a shorter modulus can be factored.
	MinRSABits = 2048
	// MaxRSABits is the greatest one. The time of a check grows with the cube of
	// the length: a modulus that fills a certificate of 64 KiB keeps a processor
	// busy for a minute.
	MaxRSABits = 4096
)

func checkRSA(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
		return fmt.Errorf("%w: RSA key of %d bits", ErrForbidden, bits)
	}
	return nil
}

// familyOf returns the family of a public key.
func familyOf(pub crypto.PublicKey) family {
	switch key := pub.(type) {
	case *gost3410.PublicKey:
		if key == nil {
			return noFamily
		}
		if key.Curve().Size() == 64 {
			return gost512
		}
		return gost256
	case *rsa.PublicKey:
		return rsaPKCS1
	case *ecdsa.PublicKey:
		return ecdsaPlain
	default:
		return noFamily
	}
}

// fits reports whether a digest may be signed by a key. RFC 9215, Section 2:
// 256-bit keys sign 256-bit Streebog only, 512-bit keys 512-bit only.
func fits(d digest, pub crypto.PublicKey) bool {
	switch familyOf(pub) {
	case gost256:
		return d.id.Equal(OIDStreebog256) || d.id.Equal(OIDGOST94)
	case gost512:
		return d.id.Equal(OIDStreebog512)
	case rsaPKCS1, ecdsaPlain:
		return d.std != 0
	default:
		return false
	}
}

func (v Verifier) verifyKey(d digest, pub crypto.PublicKey, digest, sig []byte) error {
	if !fits(d, pub) {
		return fmt.Errorf("%w: digest %v and a %T", ErrMismatch, d.id, pub)
	}
	good := false
	switch key := pub.(type) {
	case *gost3410.PublicKey:
		var err error
		if good, err = v.Run.verify(v.Keys, key, digest, sig); err != nil {
			return err
		}
	case *rsa.PublicKey:
		if err := checkRSA(key); err != nil {
			return err
		}
		good = rsa.VerifyPKCS1v15(key, d.std, digest, sig) == nil
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(key, digest, sig)
	}
	if !good {
		return ErrSignature
	}
	return nil
}

// Suits returns the signature algorithm that Sign uses for a key.
func Suits(pub crypto.PublicKey) (AlgorithmIdentifier, error) {
	switch familyOf(pub) {
	case gost256:
		return AlgorithmIdentifier{Algorithm: OIDGOST256WithStreebog}, nil
	case gost512:
		return AlgorithmIdentifier{Algorithm: OIDGOST512WithStreebog}, nil
	case rsaPKCS1:
		return AlgorithmIdentifier{Algorithm: OIDRSAWithSHA256, Parameters: []byte{5, 0}}, nil
	case ecdsaPlain:
		return suitsECDSA(pub), nil
	default:
		return AlgorithmIdentifier{}, fmt.Errorf("%w: no signature algorithm for a %T", ErrUnknown, pub)
	}
}

func suitsECDSA(pub crypto.PublicKey) AlgorithmIdentifier {
	id := OIDECDSAWithSHA256
	if key, ok := pub.(*ecdsa.PublicKey); ok {
		switch bits := key.Params().BitSize; {
		case bits > 384:
			id = OIDECDSAWithSHA512
		case bits > 256:
			id = OIDECDSAWithSHA384
		}
	}
	return AlgorithmIdentifier{Algorithm: id}
}
