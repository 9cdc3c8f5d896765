package strictxml

import (
	"fmt"
	"testing"
)

// TestNames asks about the edges of the ranges of XML 1.0, 2.3, [4] and [4a].
func TestNames(t *testing.T) {
	const start, only, never = 1, 2, 0
	for r, want := range map[rune]int{
		'a': start, 'Z': start, '_': start, '-': only, '.': only, '0': only, '9': only, '@': never, '`': never, '[': never, '{': never,
		0xB6: never, 0xB7: only, 0xB8: never, 0xBF: never, 0xC0: start, 0xD6: start, 0xD7: never, 0xD8: start,
		0xF6: start, 0xF7: never, 0xF8: start, 0x2FF: start, 0x300: only, 0x36F: only, 0x370: start, 0x37D: start,
		0x37E: never, 0x37F: start, 'Я': start, 'ё': start, 0x7FF: start, 0x1FFF: start, 0x2000: never, 0x200B: never,
		0x200C: start, 0x200D: start, 0x200E: never, 0x203E: never, 0x203F: only, 0x2040: only, 0x2041: never,
		0x206F: never, 0x2070: start, 0x218F: start, 0x2190: never, 0x2BFF: never, 0x2C00: start, 0x2FEF: start, 0x2FF0: never,
		0x3000: never, 0x3001: start, 0xD7FF: start, 0xE000: never, 0xF8FF: never, 0xF900: start, 0xFDCF: start, 0xFDD0: never,
		0xFDEF: never, 0xFDF0: start, 0xFFFD: start, 0x10000: start, 0xEFFFF: start, 0xF0000: never, 0x10FFFF: never,
	} {
		_, err := read(fmt.Sprintf("<%c/>", r))
		if ok := err == nil; ok != (want == start) {
			t.Errorf("%U begins a name: %v", r, ok)
		}
		_, err = read(fmt.Sprintf("<a%c/>", r))
		if ok := err == nil; ok != (want != never) {
			t.Errorf("%U continues a name: %v", r, ok)
		}
	}
}

// TestControl finds a control character at every place of a word.
func TestControl(t *testing.T) {
	for length := range 100 {
		for at := range length {
			for _, c := range []byte{0, 1, 0x08, 0x0B, 0x0C, 0x1F} {
				text := make([]byte, length)
				for i := range text {
					text[i] = "\t\n\r ~\x7f\x80\xff"[i%8]
				}
				if got := indexControl(text); got != -1 {
					t.Fatalf("%x: %d", text, got)
				}
				if text[at] = c; indexControl(text) != at {
					t.Fatalf("%x: %d, want %d", text, indexControl(text), at)
				}
			}
		}
	}
}
