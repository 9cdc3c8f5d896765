package strictxml

import "unicode/utf8"

// nameEnd returns the offset of the first byte at or after i that is not a part
// of a qualified name: NCName, or NCName ':' NCName (Namespaces in XML, [7]),
// and the offset of the colon, -1 if there is none. If no name starts at i, or
// the colon stands wrongly, ok is false.
func nameEnd(data []byte, i int) (end, colon int, ok bool) {
	end, ok = ncNameEnd(data, i)
	if !ok || end >= len(data) || data[end] != ':' {
		return end, -1, ok
	}
	colon = end
	end, ok = ncNameEnd(data, colon+1)
	if ok && end < len(data) && data[end] == ':' {
		ok = false
	}
	return end, colon, ok
}

// ncNameEnd returns the end of the NCName that starts at i.
func ncNameEnd(data []byte, i int) (int, bool) {
	start := i
	for i < len(data) {
		b := data[i]
		if b < utf8.RuneSelf {
			if class := asciiName[b]; class == 0 || class == 2 && i == start {
				break
			}
			i++
			continue
		}
		// U+0400–U+07FF, Cyrillic among them, are all name start characters.
		if b >= 0xD0 && b <= 0xDF {
			i += 2
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		if !isNameStart(r) && (i == start || !isNameOnly(r)) {
			break
		}
		i += n
	}
	return i, i > start
}

// asciiName classifies ASCII: 1 may start an NCName, 2 may only continue it.
var asciiName = [utf8.RuneSelf]uint8{
	'a': 1, 'b': 1, 'c': 1, 'd': 1, 'e': 1, 'f': 1, 'g': 1, 'h': 1, 'i': 1, 'j': 1, 'k': 1, 'l': 1, 'm': 1,
	'n': 1, 'o': 1, 'p': 1, 'q': 1, 'r': 1, 's': 1, 't': 1, 'u': 1, 'v': 1, 'w': 1, 'x': 1, 'y': 1, 'z': 1,
	'A': 1, 'B': 1, 'C': 1, 'D': 1, 'E': 1, 'F': 1, 'G': 1, 'H': 1, 'I': 1, 'J': 1, 'K': 1, 'L': 1, 'M': 1,
	'N': 1, 'O': 1, 'P': 1, 'Q': 1, 'R': 1, 'S': 1, 'T': 1, 'U': 1, 'V': 1, 'W': 1, 'X': 1, 'Y': 1, 'Z': 1,
	'_': 1,
	'0': 2, '1': 2, '2': 2, '3': 2, '4': 2, '5': 2, '6': 2, '7': 2, '8': 2, '9': 2, '-': 2, '.': 2,
}

// isNameStart is NameStartChar of XML 1.0, 2.3, [4], outside ASCII.
func isNameStart(r rune) bool {
	switch {
	case r < 0xC0, r == 0xD7, r == 0xF7:
		return false
	case r <= 0x2FF:
		return true
	case r < 0x370, r == 0x37E:
		return false
	case r <= 0x1FFF:
		return true
	case r == 0x200C, r == 0x200D:
		return true
	case r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF, r >= 0x3001 && r <= 0xD7FF:
		return true
	case r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	}
	return false
}

// isNameOnly is what NameChar adds to NameStartChar outside ASCII ([4a]).
func isNameOnly(r rune) bool {
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}
