package crl

// The content of an entry with a UTCTime, and of the extensions that hold nothing
// but a reason code, up to the code itself.
const (
	utcTime    = "\x17\x0d"
	reasonOnly = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"
)

// usualEntry reads one entry of the form that nearly all have — a serial number,
// a UTCTime, and nothing or a reason code that is not critical — and returns its
// length. It returns 0 for any other form, and for every mistake: anyEntry then
// reads the same bytes and says what is wrong.
func (p *parser) usualEntry(b []byte) int {
	if len(b) < 4 || b[0] != 0x30 || b[1] >= 0x80 || int(b[1])+2 > len(b) || b[2] != 0x02 {
		return 0
	}
	end := int(b[1]) + 2
	serialEnd := 4 + int(b[3])
	timeEnd := serialEnd + len(utcTime) + 13
	if b[3] == 0 || b[3] > maxSerial || timeEnd > end || string(b[serialEnd:serialEnd+2]) != utcTime {
		return 0
	}
	serial := b[4:serialEnd]
	if len(serial) > 1 && (serial[0] == 0 && serial[1] < 0x80 || serial[0] == 0xFF && serial[1] >= 0x80) {
		return 0
	}
	at, ok := unixUTCTime((*[13]byte)(b[timeEnd-13 : timeEnd]))
	if !ok {
		return 0
	}
	code := Unspecified
	if timeEnd < end {
		if end-timeEnd != len(reasonOnly)+1 || string(b[timeEnd:end-1]) != reasonOnly || p.l.version < 2 {
			return 0
		}
		if code = Reason(b[end-1]); code > AACompromise || code == 7 {
			return 0
		}
	}
	p.into.add(serial, record{at, code, noDate})
	return end
}

// daysBefore is the number of days of a common year before each month.
var daysBefore = [13]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// unixUTCTime returns the Unix time of YYMMDDhhmmssZ, and false if there is none
// such (RFC 5280, Section 5.1.2.4). Between 1950 and 2049 every fourth year is a
// leap year.
func unixUTCTime(b *[13]byte) (int64, bool) {
	var f [6]int
	for i := range f {
		tens, ones := b[2*i]-'0', b[2*i+1]-'0'
		if tens > 9 || ones > 9 {
			return 0, false
		}
		f[i] = int(tens)*10 + int(ones)
	}
	year, month, day := f[0], f[1], f[2]
	if year += 1900; year < 1950 {
		year += 100
	}
	leap := year%4 == 0
	if b[12] != 'Z' || month < 1 || month > 12 || day < 1 || f[3] > 23 || f[4] > 59 || f[5] > 59 {
		return 0, false
	}
	length := daysBefore[month] - daysBefore[month-1]
	days := 365*(year-1970) + (year-1901)/4 - (1970-1901)/4 + daysBefore[month-1] + day - 1
	if leap && month == 2 {
		length++
	}
	if leap && month > 2 {
		days++
	}
	return int64(days)*86400 + int64(f[3]*3600+f[4]*60+f[5]), day <= length
}
