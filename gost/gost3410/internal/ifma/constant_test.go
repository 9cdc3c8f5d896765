package ifma

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Valgrind knows no AVX-512, so what it does for the other assembly is done here by
// reading: in routines that see secrets there is no branch but that of a loop that
// counts, and no address but constants, arguments and what such loops add to them.

// plain is how instructions look whose operands are vectors, masks, or memory at
// fixed places from a pointer.
const (
	vector = `Z\d+|X\d+|K[1-7]`
	fixed  = `\d*\((?:DI|SI|DX|CX|R8|R9)\)|constants<>\+\d+\(SB\)`
)

// harmless are the instructions that cannot tell anything: vector instructions, and
// those that move arguments and counters.
var harmless = []*regexp.Regexp{
	regexp.MustCompile(`^V(?:PMADD52[LH]UQ|PADDQ|PSUBQ|PANDQ|PXORQ|MOVDQU64|MOVDQA64|PCMPEQQ|PTESTNMQ|PERMQ)(?:\.BCST)?(?: (?:` + vector + `|` + fixed + `),?)+$`),
	regexp.MustCompile(`^VP(?:SRAQ|SRLQ|SHRDQ|TERNLOGQ) \$\d+(?:, (?:` + vector + `|` + fixed + `))+$`),
	regexp.MustCompile(`^VPBROADCASTQ constants<>\+\d+\(SB\), Z\d+$`),
	regexp.MustCompile(`^VPSRLQ X2, Z1, Z1$`),                  // by the shift that is an argument
	regexp.MustCompile(`^VMOVQ shift\+24\(FP\), X2$`),          // the same
	regexp.MustCompile(`^MOVQ \w+\+\d+\(FP\), \w+$`),           // arguments
	regexp.MustCompile(`^LEAQ 63\(SP\), R8$`),                  // memory for values without register
	regexp.MustCompile(`^ANDQ \$-64, R8$`),                     // the same
	regexp.MustCompile(`^ADDQ \$\d+, (?:DI|SI)$`),              // the next entry of all
	regexp.MustCompile(`^DECQ CX$`),                            // a counter
	regexp.MustCompile(`^DECQ SI$`),                            // the same, an argument
	regexp.MustCompile(`^JNZ (?:loop|entries|vectors)$`),       // of which there is a branch
	regexp.MustCompile(`^MOVQ \((?:DX|CX)\), AX$`),             // signs into a mask, that is all that AX is for
	regexp.MustCompile(`^KMOVB (?:AX, K1|K1, AX)$`),            // the same
	regexp.MustCompile(`^MOVQ AX, \(DI\)\(BX\*1\)$`),           // signs behind the point; BX is of the layout
	regexp.MustCompile(`^MOVQ 4(?:00|08)\(R9\), (?:BX|CX)$`),   // of the layout, where it was checked below
	regexp.MustCompile(`^KXNORB K2, K2, K2$`),                  // all lanes
	regexp.MustCompile(`^VPGATHERQQ \(DX\)\(Z0\*1\), K2, Z1$`), // the scalars, where the layout says
	regexp.MustCompile(`^(?:VZEROUPPER|RET)$`),
}

// TestConstantTime reads all routines but gather, which is for public values.
func TestConstantTime(t *testing.T) {
	files, err := filepath.Glob("*.s")
	if err != nil || len(files) == 0 {
		t.Fatal("no assembly", err)
	}
	routines := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "\nTEXT ")[1:] {
			head, code, _ := strings.Cut(part, "\n")
			if strings.HasPrefix(head, "·gather(") {
				if leaks(code) == "" {
					t.Error("gather has addresses that depend on data, and that is not noticed")
				}
				continue
			}
			routines++
			if line := leaks(code); line != "" {
				t.Errorf("%s: %s: %q may take another time for other data", file, head, line)
			}
		}
	}
	if routines < 20 {
		t.Errorf("only %d routines were found", routines)
	}
}

// leaks returns an instruction that is not known to be harmless.
func leaks(code string) string {
	for line := range strings.Lines(code) {
		if strings.HasPrefix(line, "//") {
			continue
		}
		for _, one := range strings.Split(strings.TrimSpace(line), "; ") {
			if one == "" || strings.HasSuffix(one, ":") {
				continue
			}
			if !isHarmless(one) {
				return one
			}
		}
	}
	return ""
}

func isHarmless(instruction string) bool {
	for _, pattern := range harmless {
		if pattern.MatchString(instruction) {
			return true
		}
	}
	return false
}

// TestLayoutIsPublic: what lookups take addresses and counts from are constants of the
// tables: the scalars are of no influence.
func TestLayoutIsPublic(t *testing.T) {
	if !Available() {
		t.Skip("the processor has no AVX-512 IFMA, or the build leaves it out")
	}
	for name, c := range curves {
		table := c.baseSecret()
		before := make([]layout, len(table.layout))
		for i, l := range table.layout {
			before[i] = *l
		}
		if _, ok := c.BaseMult([8]uint64{5, 6}); !ok {
			t.Fatalf("%s: infinity", name)
		}
		for i, l := range table.layout {
			if *l != before[i] {
				t.Errorf("%s: a multiplication changed layout %d", name, i)
			}
		}
	}
}
