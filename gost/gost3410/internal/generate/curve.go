package main

import (
	"embed"
	"fmt"
	"math/big"
	"strings"
	"text/template"
)

//go:embed *.tmpl
var templates embed.FS

// curve is one elliptic curve: y² = x³ + ax + b, subgroup of order Q, base point
// (X, Y). The twisted Edwards form is u² + v² = 1 + D·u²·v²; D is nil where there
// is none.
type curve struct {
	Type, Name, File, Source string
	Field                    *field
	A, B, Q, X, Y, D         *big.Int
	Cofactor                 int
}

var curves = []*curve{
	{
		Type: "CryptoProA", Name: "id-GostR3410-2001-CryptoPro-A-ParamSet", File: "cryptoproa.go", Source: "RFC 4357, Section 11.4",
		Field: fields[0], A: pow2(256, -617-3), B: hex("A6"), Cofactor: 1,
		Q: hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893"),
		X: hex("1"), Y: hex("8D91E471E0989CDA27DF505A453F2B7635294F2DDF23E3B122ACC99C9E9F1E14"),
	},
	{
		Type: "CryptoProB", Name: "id-GostR3410-2001-CryptoPro-B-ParamSet", File: "cryptoprob.go", Source: "RFC 4357, Section 11.4",
		Field: fields[1], A: pow2(255, 3225-3), Cofactor: 1,
		B: hex("3E1AF419A269A5F866A7D3C25C3DF80AE979259373FF2B182F49D4CE7E1BBC8B"),
		Q: hex("800000000000000000000000000000015F700CFFF1A624E5E497161BCC8A198F"),
		X: hex("1"), Y: hex("3FA8124359F96680B83D1C3EB2C070E5C545C9858D03ECFB744BF8D717717EFC"),
	},
	{
		Type: "CryptoProC", Name: "id-GostR3410-2001-CryptoPro-C-ParamSet", File: "cryptoproc.go", Source: "RFC 4357, Section 11.4",
		Field: fields[2], B: hex("805A"), Cofactor: 1,
		A: hex("9B9F605F5A858107AB1EC85E6B41C8AACF846E86789051D37998F7B9022D7598"),
		Q: hex("9B9F605F5A858107AB1EC85E6B41C8AA582CA3511EDDFB74F02F3A6598980BB9"),
		X: hex("0"), Y: hex("41ECE55743711A8C3CBF3783CD08C0EE4D4DC440D4641A8F366E550DFDB3BB67"),
	},
	{
		Type: "TC26256A", Name: "id-tc26-gost-3410-2012-256-paramSetA", File: "tc26256a.go", Source: "RFC 7836, Appendix A.2",
		Field: fields[0], Cofactor: 4,
		A: hex("C2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335"),
		B: hex("295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513"),
		Q: hex("400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67"),
		X: hex("91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28"),
		Y: hex("32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C"),
		D: hex("0605F6B7C183FA81578BC39CFAD518132B9DF62897009AF7E522C32D6DC7BFFB"),
	},
	{
		Type: "TC26512A", Name: "id-tc26-gost-3410-12-512-paramSetA", File: "tc26512a.go", Source: "RFC 7836, Appendix A.1",
		Field: fields[3], A: pow2(512, -569-3), Cofactor: 1,
		B: hex("E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760"),
		Q: hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275"),
		X: hex("3"),
		Y: hex("7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4"),
	},
	{
		Type: "TC26512B", Name: "id-tc26-gost-3410-12-512-paramSetB", File: "tc26512b.go", Source: "RFC 7836, Appendix A.1",
		Field: fields[4], A: pow2(511, 111-3), Cofactor: 1,
		B: hex("687D1B459DC841457E3E06CF6F5E2517B97C7D614AF138BCBF85DC806C4B289F3E965D2DB1416D217F8B276FAD1AB69C50F78BEE1FA3106EFB8CCBC7C5140116"),
		Q: hex("800000000000000000000000000000000000000000000000000000000000000149A1EC142565A545ACFDB77BD9D40CFA8B996712101BEA0EC6346C54374F25BD"),
		X: hex("2"),
		Y: hex("1A8F7EDA389B094C2C071E3647A8940F3C123B697578C213BE6DD9E6C8EC7335DCB228FD1EDF4A39152CBCAAF8C0398828041055F94CEEEC7E21340780FE41BD"),
	},
	{
		Type: "TC26512C", Name: "id-tc26-gost-3410-2012-512-paramSetC", File: "tc26512c.go", Source: "RFC 7836, Appendix A.2",
		Field: fields[3], Cofactor: 4,
		A: hex("DC9203E514A721875485A529D2C722FB187BC8980EB866644DE41C68E143064546E861C0E2C9EDD92ADE71F46FCF50FF2AD97F951FDA9F2A2EB6546F39689BD3"),
		B: hex("B4C4EE28CEBC6C2C8AC12952CF37F16AC7EFB6A9F69F4B57FFDA2E4F0DE5ADE038CBC2FFF719D2C18DE0284B8BFEF3B52B8CC7A5F5BF0A3C8D2319A5312557E1"),
		Q: hex("3FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC98CDBA46506AB004C33A9FF5147502CC8EDA9E7A769A12694623CEF47F023ED"),
		X: hex("E2E31EDFC23DE7BDEBE241CE593EF5DE2295B7A9CBAEF021D385F7074CEA043AA27272A7AE602BF2A7B9033DB9ED3610C6FB85487EAE97AAC5BC7928C1950148"),
		Y: hex("F5CE40D95B5EB899ABBCCFF5911CB8577939804D6527378B8C108C3D2090FF9BE18E2D33E3021ED2EF32D85822423B6304F726AA854BAE07D0396E9A9ADDC40F"),
		D: hex("9E4F5D8C017D8D9F13A5CF3CDF5BFE4DAB402D54198E31EBDE28A0621050439CA6B39E0A515C06B304E2CE43E79E369E91A0CFC2BC2A22B4CA302DBB33EE7550"),
	},
}

// Limbs returns how many words a coordinate has.
func (c *curve) Limbs() int { return c.Field.Limbs }

// Private returns the type name with a small first letter.
func (c *curve) Private() string {
	if rest, ok := strings.CutPrefix(c.Type, "TC"); ok {
		return "tc" + rest
	}
	return strings.ToLower(c.Type[:1]) + c.Type[1:]
}

// F returns the type of the field.
func (c *curve) F() string { return "field." + c.Field.Type }

// Windows returns how many signed digits of 5 bits a scalar has.
func (c *curve) Windows() int { return (c.Q.BitLen() + 5) / 5 }

// OddWindows returns how many odd digits of 5 bits a scalar has below its highest.
func (c *curve) OddWindows() int { return (c.Q.BitLen() + 3) / 5 }

// These are those of package ec.
const (
	multWidth       = 5
	combWidth       = 6
	completeWindows = 2
)

// Speeds are the endings of the names of the operations of a field, and of the formulas
// made of them: those in constant time, and those for public numbers.
func (*curve) Speeds() []string { return []string{"", "Vartime"} }

// CombWindows returns how many signed digits of combWidth a scalar has.
func (c *curve) CombWindows() int { return (c.Q.BitLen() + combWidth) / combWidth }

// checkComb makes sure of what combSum relies on: twice the greatest number that it
// adds is below the order.
func (c *curve) checkComb() error {
	last := c.CombWindows() - completeWindows - 1
	if greatest := pow2(uint(combWidth-1+combWidth*last), 0); greatest.Lsh(greatest, 1).Cmp(c.Q) >= 0 {
		return fmt.Errorf("too many windows without complete formulas")
	}
	return nil
}

// E returns the field constant of a curve parameter.
func (c *curve) E(x *big.Int) string { return c.Field.element(x) }

// MulB returns the statement z = b·x.
func (c *curve) MulB(z, x string) string {
	if c.SmallB() {
		return fmt.Sprintf("%s.MulSmall(&%s, %d)", z, x, c.B)
	}
	return fmt.Sprintf("%s.Mul(&%s, &%sB)", z, x, c.Private())
}

// SmallB reports whether b is small enough for MulSmall.
func (c *curve) SmallB() bool { return c.Field.small && c.B.BitLen() <= 16 }

// BElement is the constant b of the field.
func (c *curve) BElement() string { return c.E(c.B) }

// mod returns x modulo p.
func (c *curve) mod(x *big.Int) *big.Int { return new(big.Int).Mod(x, c.Field.P) }

// S returns (1 − D)/4. RFC 7836, Section 5.2.
func (c *curve) S() *big.Int {
	x := new(big.Int).Sub(big.NewInt(1), c.D)
	return c.mod(x.Mul(x, new(big.Int).ModInverse(big.NewInt(4), c.Field.P)))
}

// T returns (1 + D)/6. RFC 7836, Section 5.2.
func (c *curve) T() *big.Int {
	x := new(big.Int).Add(big.NewInt(1), c.D)
	return c.mod(x.Mul(x, new(big.Int).ModInverse(big.NewInt(6), c.Field.P)))
}

// MinusDRoot returns a root of −D.
func (c *curve) MinusDRoot() *big.Int {
	return new(big.Int).ModSqrt(c.mod(new(big.Int).Neg(c.D)), c.Field.P)
}

// ThreeT returns 3T.
func (c *curve) ThreeT() *big.Int { return c.mod(new(big.Int).Mul(big.NewInt(3), c.T())) }

// check makes sure of what the templates rely on.
func (c *curve) check() error {
	p := c.Field.P
	x, y := c.X, c.Y
	right := new(big.Int).Mul(x, x)
	right.Add(right, c.A).Mul(right, x).Add(right, c.B)
	if c.mod(right).Cmp(c.mod(new(big.Int).Mul(y, y))) != 0 {
		return fmt.Errorf("the base point is not on the curve")
	}
	if c.D == nil {
		if c.Cofactor != 1 || c.mod(new(big.Int).Add(c.A, big.NewInt(3))).Sign() != 0 {
			return fmt.Errorf("the short Weierstrass template wants a prime order and a = −3")
		}
		return c.checkComb()
	}
	if p.Bit(0)&p.Bit(1) != 1 || c.Cofactor != 4 {
		return fmt.Errorf("the test for the subgroup wants p = 3 modulo 4 and cofactor 4")
	}
	if big.Jacobi(c.D, p) != -1 {
		return fmt.Errorf("d is a square: the Edwards formulas would not be complete")
	}
	s, t := c.S(), c.T()
	ss := new(big.Int).Mul(s, s)
	tt := new(big.Int).Mul(t, t)
	a := new(big.Int).Sub(ss, new(big.Int).Mul(big.NewInt(3), tt))
	b := new(big.Int).Mul(big.NewInt(2), tt)
	b.Sub(b, ss).Mul(b, t)
	if c.mod(a).Cmp(c.A) != 0 || c.mod(b).Cmp(c.B) != 0 {
		return fmt.Errorf("the Edwards form does not belong to this curve")
	}
	return nil
}

func (c *curve) source() (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	if c.D != nil {
		return c.execute("edwards.tmpl")
	}
	return c.execute("weierstrass.tmpl")
}

// Lanes reports whether package ifma knows the curve: it wants a = −3, and a prime next to
// a power of two.
func (c *curve) Lanes() bool { return c.D == nil && c.Field.shape != montgome }

// execute returns what a template says of the curve.
func (c *curve) execute(name string) (string, error) {
	t, err := template.ParseFS(templates, name)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, c); err != nil {
		return "", err
	}
	return out.String(), nil
}

// Members returns all limbs of the elements with the given names: "x[0]", "x[1]" …
func (c *curve) Members(names ...string) (limbs []string) {
	for _, name := range names {
		for i := range c.Limbs() {
			limbs = append(limbs, fmt.Sprintf("%s[%d]", name, i))
		}
	}
	return limbs
}
