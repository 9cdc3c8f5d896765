package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Most of the code for carries that are rare in variable time is run by no test, as
// nobody knows numbers for which the carry is in the middle of a formula. But it is the
// same code everywhere, with other registers: here it is read.

var (
	rareJump  = regexp.MustCompile(`^JCS (rare\d+)$`)
	rareFirst = regexp.MustCompile(`^(ADDQ|SUBQ) (.+), (\w+)$`)
	rareChain = regexp.MustCompile(`^(ADDQ|SUBQ|ADCQ|SBBQ|XORQ) \S+, (\w+)$`)
	rareUse   = regexp.MustCompile(`^(?:MOVQ (\w+), \d+\(\w+\)|SHRQ \$1, \w+, (\w+))$`)
)

// TestRarely: after the lowest limb, a rare carry goes through the others in the order in
// which they are stored or shifted afterwards, and where the number is reduced again, it
// starts with the lowest limb.
func TestRarely(t *testing.T) {
	files, err := render()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for name, text := range files {
		if filepath.Ext(name) != ".s" {
			continue
		}
		for _, function := range strings.Split(string(text), "\nTEXT ")[1:] {
			var lines []string
			for line := range strings.Lines(function) {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
					lines = append(lines, line)
				}
			}
			for i, line := range lines {
				if m := rareJump.FindStringSubmatch(line); m != nil {
					count++
					if why := wrongRare(lines, i, m[1]); why != "" {
						t.Errorf("%s: %s in %.60q: %s", name, m[1], function, why)
					}
				}
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d rare carries", count)
	}
}

// wrongRare says what is wrong with the jump in a line.
func wrongRare(lines []string, at int, label string) string {
	first := rareFirst.FindStringSubmatch(lines[at-1])
	from := slices.Index(lines, label+":")
	if first == nil || from < 0 || lines[at+1] != "back"+label+":" {
		return "no carry, or no label"
	}
	from++
	to := from + slices.Index(lines[from:], "JMP back"+label)
	if to < from {
		return "no way back"
	}
	follow := map[string]string{"ADDQ": "ADCQ", "SUBQ": "SBBQ"}[first[1]]
	want, order := first[1]+" $1, ", []string{first[3]}
	for ; from < to && strings.HasPrefix(lines[from], want) && !strings.HasSuffix(lines[from], "AX"); from++ {
		order = append(order, strings.TrimPrefix(lines[from], want))
		want = follow + " $0, "
	}
	var again []string
	for _, line := range lines[from:to] {
		if m := rareChain.FindStringSubmatch(line); m != nil && m[2] != "AX" {
			again = append(again, m[2])
		}
	}
	full := append(slices.Clone(order), order[len(order)-1]) // the top bit is last
	if len(again) > 1 && !slices.Equal(again, full) || len(again) == 1 && again[0] != order[0] {
		return "it is reduced in the order " + strings.Join(again, " ")
	}
	var used []string
	for _, line := range lines[at+2:] {
		m := rareUse.FindStringSubmatch(line)
		if m == nil || len(used) == len(order) {
			break
		}
		used = append(used, m[1]+m[2])
	}
	if len(order) != 4 && len(order) != 8 || !slices.Equal(order, used) {
		return "the order is " + strings.Join(order, " ") + ", then " + strings.Join(used, " ")
	}
	return ""
}
