package person

import (
	"strings"

	"propusk/pki/reason"
)

// INN is the taxpayer number of a natural person: 12 digits. It prints masked;
// the zero value is empty.
type INN struct{ masked }

// INNLE is the taxpayer number of a legal entity: 10 digits. It prints masked;
// the zero value is empty.
type INNLE struct{ masked }

// OGRN is the state registration number of a legal entity: 13 digits. It prints
// masked; the zero value is empty.
type OGRN struct{ masked }

// OGRNIP is the state registration number of an entrepreneur: 15 digits. It
// prints masked; the zero value is empty.
type OGRNIP struct{ masked }

// SNILS is the insurance number of a natural person: 11 digits. It prints
// masked; the zero value is empty.
type SNILS struct{ masked }

// Errors of the parsers. Each is a *reason.Error with reason.IdentifierBad and
// never contains the number.
var (
	errDigits = reason.Errorf(reason.IdentifierBad, "wrong length or not only digits")
	errCheck  = reason.Errorf(reason.IdentifierBad, "check digits do not match")
	errNobody = reason.Errorf(reason.IdentifierBad, "a number that nobody has")
)

// ParseINN reads exactly 12 ASCII digits with correct check digits. Numbers that
// begin with "00" are refused: no region has that code, old certificates pad the
// number of a legal entity so, and 000000000000 would pass the check digits.
func ParseINN(s string) (INN, error) {
	if !digits(s, 12) {
		return INN{}, errDigits
	}
	if strings.HasPrefix(s, "00") {
		return INN{}, errNobody
	}
	if weigh(s, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) != s[10] || weigh(s, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) != s[11] {
		return INN{}, errCheck
	}
	return INN{mask(s)}, nil
}

// ParseINNLE reads exactly 10 ASCII digits with a correct check digit.
func ParseINNLE(s string) (INNLE, error) {
	if !digits(s, 10) {
		return INNLE{}, errDigits
	}
	if strings.HasPrefix(s, "0000") {
		return INNLE{}, errNobody
	}
	if weigh(s, 2, 4, 10, 3, 5, 9, 4, 6, 8) != s[9] {
		return INNLE{}, errCheck
	}
	return INNLE{mask(s)}, nil
}

// ParseOGRN reads exactly 13 ASCII digits with a correct check digit.
func ParseOGRN(s string) (OGRN, error) {
	if err := registration(s, 13, 11); err != nil {
		return OGRN{}, err
	}
	return OGRN{mask(s)}, nil
}

// ParseOGRNIP reads exactly 15 ASCII digits with a correct check digit.
func ParseOGRNIP(s string) (OGRNIP, error) {
	if err := registration(s, 15, 13); err != nil {
		return OGRNIP{}, err
	}
	return OGRNIP{mask(s)}, nil
}

// ParseSNILS reads 11 ASCII digits, or the printed form "112-233-445 95", with
// correct check digits. Numbers up to 001-001-998 were given out before check
// digits existed, so theirs are not checked; all zeros are refused.
func ParseSNILS(s string) (SNILS, error) {
	if len(s) == 14 && s[3] == '-' && s[7] == '-' && s[11] == ' ' {
		s = s[0:3] + s[4:7] + s[8:11] + s[12:14]
	}
	if !digits(s, 11) {
		return SNILS{}, errDigits
	}
	if s[:9] == "000000000" {
		return SNILS{}, errNobody
	}
	if s[:9] > "001001998" && snilsCheck(s) != int(s[9]-'0')*10+int(s[10]-'0') {
		return SNILS{}, errCheck
	}
	return SNILS{mask(s)}, nil
}

// Printed returns the number as it stands on paper, "112-233-445 95". Like
// Reveal, it is not for logs.
func (s SNILS) Printed() string {
	d := s.Reveal()
	if d == "" {
		return ""
	}
	return d[0:3] + "-" + d[3:6] + "-" + d[6:9] + " " + d[9:11]
}

// snilsCheck is the sum of digits with weights 9…1, modulo 101, where 100 is 0.
func snilsCheck(s string) int {
	sum := 0
	for i := range 9 {
		sum += int(s[i]-'0') * (9 - i)
	}
	return sum % 101 % 100
}

// registration checks a number of the state registers: all digits but the last,
// as one number, modulo mod and modulo 10 give the last one.
func registration(s string, length int, mod uint64) error {
	if !digits(s, length) {
		return errDigits
	}
	if s[0] == '0' {
		return errNobody
	}
	var n uint64
	for i := range length - 1 {
		n = n*10 + uint64(s[i]-'0')
	}
	if byte('0'+n%mod%10) != s[length-1] {
		return errCheck
	}
	return nil
}

// weigh returns the check digit of an ИНН as a character.
func weigh(s string, weights ...int) byte {
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return byte('0' + sum%11%10)
}

func digits(s string, length int) bool { return len(s) == length && allDigits(s) }
