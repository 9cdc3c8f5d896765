package gost28147

import (
	"math/bits"
	"sync"
)

// An SBox is a set of the eight substitutions that the standard leaves open. The
// functions of this package return the only ones there are; a program that uses
// one must use it through the pointer, which can be shared by several goroutines.
type SBox struct {
	// rows[x] holds what the substitutions K1, ..., K8 make of x, K1 in the upper
	// four bits, which is how the standards encode them.
	rows [16]uint32

	// merged is computed at first use: the entry [i][v] is what byte i of the sum
	// contributes to a round, after the rotation.
	once    sync.Once
	merged  [4][256]uint32
	nibbles nibbles // the same for the assembly
}

// tables returns the merged substitutions.
func (s *SBox) tables() *[4][256]uint32 {
	s.once.Do(func() {
		for i := range s.merged {
			for v := range s.merged[i] {
				low, high := s.substitute(2*i, v&15), s.substitute(2*i+1, v>>4)
				s.merged[i][v] = bits.RotateLeft32((low|high<<4)<<(8*i), 11)
			}
		}
		s.nibbles.fill(s)
	})
	return &s.merged
}

// vectorTables returns the substitutions as the assembly takes them.
func (s *SBox) vectorTables() *nibbles {
	s.tables()
	return &s.nibbles
}

// substitute returns what K_(i+1) makes of x.
func (s *SBox) substitute(i, x int) uint32 {
	return s.rows[x] >> (28 - 4*i) & 15
}

// Test returns id-Gost28147-89-TestParamSet, 1.2.643.2.2.31.0: for test vectors only.
func Test() *SBox { return &test }

// CryptoProA returns id-Gost28147-89-CryptoPro-A-ParamSet, 1.2.643.2.2.31.1, the usual
// one for encryption before 2013.
func CryptoProA() *SBox { return &cryptoProA }

// CryptoProB returns id-Gost28147-89-CryptoPro-B-ParamSet, 1.2.643.2.2.31.2.
func CryptoProB() *SBox { return &cryptoProB }

// CryptoProC returns id-Gost28147-89-CryptoPro-C-ParamSet, 1.2.643.2.2.31.3.
func CryptoProC() *SBox { return &cryptoProC }

// CryptoProD returns id-Gost28147-89-CryptoPro-D-ParamSet, 1.2.643.2.2.31.4.
func CryptoProD() *SBox { return &cryptoProD }

// DigestTest returns the substitutions of id-GostR3411-94-TestParamSet,
// 1.2.643.2.2.30.0: the ones in the examples of GOST R 34.11-94, for test vectors only.
func DigestTest() *SBox { return &digestTest }

// DigestCryptoPro returns the substitutions of id-GostR3411-94-CryptoProParamSet,
// 1.2.643.2.2.30.1, with which certificates were signed.
func DigestCryptoPro() *SBox { return &digestCryptoPro }

// TC26Z returns id-tc26-gost-28147-param-Z, 1.2.643.7.1.2.5.1.1: those of Magma.
func TC26Z() *SBox { return &tc26Z }

var (
	// RFC 4357, Section 11.1.
	test = SBox{rows: [16]uint32{
		0x4cde389c, 0x2989efb6, 0xffeb56c5, 0x5ec29b02, 0x9875613b, 0x113f8960, 0x03970c79, 0x8aa1d55d,
		0xe210ad43, 0x375db38e, 0xb42c77e7, 0xcd46cafa, 0xd66a201f, 0x70f41ea4, 0xab03f221, 0x65b844d8,
	}}

	// RFC 4357, Section 11.1.
	cryptoProA = SBox{rows: [16]uint32{
		0x93eeb31b, 0x67475ada, 0x3e6a1d2f, 0x292c9c95, 0x88bd8170, 0xba31d2ac, 0x1fd3f06e, 0x70890b08,
		0xa5c0e786, 0x42f245c2, 0xe65b2943, 0xfca43459, 0xcb0fc8f1, 0x04787f37, 0xdd15aebd, 0x519666e4,
	}}

	// RFC 4357, Section 11.1.
	cryptoProB = SBox{rows: [16]uint32{
		0x80e72850, 0x41c57324, 0xb200c2ab, 0x1aadf6be, 0x349b9498, 0x5d265d13, 0x05d1aec7, 0x9cb2bb31,
		0x29731c7a, 0xe75a4142, 0xa38c07d9, 0xcfffdf06, 0xdb346a6f, 0x686e80fd, 0x7619e985, 0xfe4835ec,
	}}

	// RFC 4357, Section 11.1.
	cryptoProC = SBox{rows: [16]uint32{
		0x10838ca7, 0xb126d994, 0xc750bb60, 0x2d010185, 0x9b4548da, 0xd49d5ee2, 0x05fa122f, 0xf2a8240e,
		0x483b97fc, 0x5e723336, 0x8fc9c651, 0xecd7e5bb, 0xa96e6a4d, 0x7aeff019, 0x661cafc3, 0x33b47d78,
	}}

	// RFC 4357, Section 11.1.
	cryptoProD = SBox{rows: [16]uint32{
		0xfb110831, 0xc6c5c00a, 0x23be8f66, 0xa40c93f8, 0x6cfad21f, 0x4fe725eb, 0x5e60ae90, 0x025dbb24,
		0x77a671dc, 0x9dd23a83, 0xe84b64c5, 0xd0845749, 0x15994cb7, 0xba33e9ad, 0x897ffd52, 0x3128167e,
	}}

	// RFC 4357, Section 11.2.
	digestTest = SBox{rows: [16]uint32{
		0x4e5764d1, 0xab8dcbbf, 0x941a7a4d, 0x2cd11010, 0xd6a05735, 0x8d38f2f7, 0x0f49d15a, 0xea2f8d94,
		0x62ee4309, 0xb3f4a6a2, 0x18c698e3, 0xc17ce57e, 0x706b0966, 0xf7023c8b, 0x5595bf28, 0x39b32ecc,
	}}

	// RFC 4357, Section 11.2.
	digestCryptoPro = SBox{rows: [16]uint32{
		0xa57477d1, 0x4ffa66e3, 0x54c7424a, 0x60ecb419, 0x82909d75, 0x1d4fc90b, 0x3b122f54, 0x7908a0af,
		0xd13e1a38, 0xc7b181c6, 0xe6560587, 0x0325ebfe, 0x9c6df86d, 0x2eabde20, 0xba893c92, 0xf8d353bc,
	}}

	// RFC 7836, Appendix C.
	tc26Z = SBox{rows: [16]uint32{
		0xc6bc7581, 0x4838fde7, 0x62525f2e, 0x2381a65d, 0xa92d8960, 0x5af41295, 0xb5af6c18, 0x9cd6dac3,
		0xe1e70bf4, 0x8e10974f, 0xd47a38ba, 0x7745e106, 0x0bc3b4d9, 0x3d9e43ac, 0xf0692e3b, 0x1f0bc072,
	}}
)
