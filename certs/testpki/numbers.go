package testpki

import "fmt"

// Numbers of the demo country have right check digits and belong to nobody:
//
//   - ИНН and ОГРН carry the code of a region. Region 98 does not exist, so no tax
//     office can have given the number out.
//   - СНИЛС begin with 999, far beyond those given out.
//
// The only real number in the country is the ОГРН of the Federal Tax Service
// (package qualified): the rule that its CA alone may issue for entrepreneurs is
// shown as it is, without a switch that weakens it.

// inn returns the n-th ИНН of a natural person: region 98, office 00.
func inn(n int) string {
	s := fmt.Sprintf("9800%06d", n)
	s += digit(s, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
	return s + digit(s, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
}

// innle returns the n-th ИНН of a legal entity: region 98, office 00.
func innle(n int) string {
	s := fmt.Sprintf("9800%05d", n)
	return s + digit(s, 2, 4, 10, 3, 5, 9, 4, 6, 8)
}

// ogrn returns the n-th ОГРН: a number of 2024 (24), region 98.
func ogrn(n int) string {
	s := fmt.Sprintf("12498%07d", n)
	return s + remainder(s, 11)
}

// ogrnip returns the n-th ОГРНИП: a number of 2024 (24), region 98.
func ogrnip(n int) string {
	s := fmt.Sprintf("32498%09d", n)
	return s + remainder(s, 13)
}

// snils returns the n-th СНИЛС, without blanks.
func snils(n int) string {
	s := fmt.Sprintf("999%06d", n)
	sum := 0
	for i := range 9 {
		sum += int(s[i]-'0') * (9 - i)
	}
	return s + fmt.Sprintf("%02d", sum%101%100)
}

// digit is the check digit of an ИНН.
func digit(s string, weights ...int) string {
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return fmt.Sprint(sum % 11 % 10)
}

// remainder is the check digit of an ОГРН or ОГРНИП.
func remainder(s string, mod int) string {
	n := 0
	for _, c := range s {
		n = (n*10 + int(c-'0')) % mod
	}
	return fmt.Sprint(n % 10)
}
