package signrequest

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what is seen.
const (
	// maxMarks is how many marks may be put on one letter: more reach over other lines.
	maxMarks = 4
	// maxEmptyLines and maxBlanks bound a gap in a text: what is behind a longer one, nobody
	// scrolls to. maxSpaces does in a line.
	maxEmptyLines = 20
	maxBlanks     = 400
	maxSpaces     = 8
)

// CheckText returns why a text cannot be given to people to sign, or nil. Beside what is
// too long, it refuses whatever makes a page show something else than what is signed:
// control characters but tab and line end, characters that are not seen at all, characters
// that are written from right to left, which reorder what is beside them, marks that pile up
// over other lines, and gaps that hide what follows. Nor may it be what is signed at a
// sign-in.
//
// Letters that look like others are taken: a text in several languages is an ordinary one.
func CheckText(s string) error {
	if strings.TrimSpace(s) == "" || len(s) > MaxText {
		return fmt.Errorf("the text is empty or longer than %d bytes", MaxText)
	}
	if !utf8.ValidString(s) {
		return errors.New("the text is not UTF-8")
	}
	if LooksLikeSignIn([]byte(s)) {
		return errors.New("the text is that of a sign-in")
	}
	marks, lines, blanks := maxMarks, 0, 0 // no mark may come first
	for i, c := range s {
		switch {
		case c == '\r' && strings.HasPrefix(s[i:], "\r\n"): // counted with the line end
		case c == '\n':
			marks, lines, blanks = maxMarks, lines+1, blanks+1
		case c == '\t' || unicode.Is(unicode.Zs, c):
			marks, blanks = maxMarks, blanks+1
		case !visible(c):
			return fmt.Errorf("the text has the character U+%04X, which is not seen as it is", c)
		case unicode.IsMark(c):
			marks++
		default:
			marks, lines, blanks = 0, 0, 0
		}
		if marks > maxMarks {
			return fmt.Errorf("the text has the mark U+%04X without a letter, or after %d others", c, maxMarks)
		}
		if lines > maxEmptyLines+1 || blanks > maxBlanks {
			return fmt.Errorf("the text has a gap of more than %d lines or %d characters", maxEmptyLines, maxBlanks)
		}
	}
	return nil
}

// OneLine reports whether s can be shown to people as a name: 1 to [MaxName] bytes of
// UTF-8 without anything that is not seen as it is.
func OneLine(s string) bool {
	return len(s) <= MaxName && !strings.ContainsAny(s, "\t\r\n") && strings.TrimSpace(s) == s &&
		!strings.Contains(s, strings.Repeat(" ", maxSpaces+1)) && CheckText(s) == nil
}

// visible reports whether c is shown as itself, where it stands: no control, formatting
// (directions, zero widths), private or unassigned character, no line or paragraph
// separator, none that Unicode or its fonts leave empty, and none that goes from right to
// left.
func visible(c rune) bool {
	const emptyBraille = 0x2800
	return c != utf8.RuneError && c != emptyBraille && unicode.IsGraphic(c) &&
		!unicode.In(c, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, rightToLeft)
}

// rightToLeft are the blocks whose unassigned characters too have the classes R and AL.
// Unicode Standard Annex 9, Section 3.2; DerivedBidiClass.txt.
var rightToLeft = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x0590, Hi: 0x08FF, Stride: 1}, {Lo: 0xFB1D, Hi: 0xFDFF, Stride: 1}, {Lo: 0xFE70, Hi: 0xFEFF, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x10800, Hi: 0x10FFF, Stride: 1}, {Lo: 0x1E800, Hi: 0x1EFFF, Stride: 1}},
}
