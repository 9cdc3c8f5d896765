package gost

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scanned are the packages whose assembly TestAssembly reads, because valgrind cannot
// run it, and what the routines load from memory that is not secret: pointers to
// messages, and their lengths. The package ifma has such a test of its own.
var scanned = map[string]*regexp.Regexp{
	"streebog":   regexp.MustCompile(`^(job_\w+\(.*|\d+\(AX\), R12)$`),
	"kuznyechik": regexp.MustCompile(`^\d+\(SI\), R8$`),
	"magma":      regexp.MustCompile(`^\d+\(SI\), Z2[23]$|^VPGATHERQQ \(R8\)\(Z2[23]\*1\), `), // where 16 messages are
	"mgm":        nil,
	"gost28147":  nil,
}

// TestAssembly follows the general registers through every routine. Those that come from
// memory or from vector registers, where secrets are, must not get into an address or
// into the condition of a jump. Arguments are pointers and lengths.
func TestAssembly(t *testing.T) {
	for dir, public := range scanned {
		paths, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.s"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no assembly, %v", dir, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, complaint := range scan(string(text), public) {
				t.Errorf("%s: %s", path, complaint)
			}
		}
	}
}

// TestAssemblySees: the scan finds what it is for.
func TestAssemblySees(t *testing.T) {
	for body, want := range map[string]int{
		"MOVQ p+0(FP), SI\nMOVQ (SI), AX\nMOVQ (DI)(AX*8), BX":                                     1,
		"MOVQ p+0(FP), SI\nMOVQ (SI), AX\nTESTQ AX, AX\nJZ done\ndone:":                            1,
		"VMOVQ X1, CX\nLEAQ 1(CX), DX":                                                             1,
		"VPGATHERQQ (DX)(Z0*1), K2, Z1":                                                            1,
		"KMOVQ K1, AX\nADDQ $1, AX\nCMPQ BX, AX\nJNE x\nx:":                                        1,
		"loop:\nMOVQ (SI)(BX*8), AX\nMOVQ AX, BX\nDECQ CX\nJNZ loop":                               1,
		"MOVQ p+0(FP), SI\nMOVQ n+8(FP), CX\nloop:\nMOVQ (SI), AX\nADDQ $8, SI\nDECQ CX\nJNZ loop": 0,
	} {
		if got := scan("TEXT ·f(SB), NOSPLIT, $0-8\n"+body+"\nRET\n", nil); len(got) != want {
			t.Errorf("%q: %q", body, got)
		}
	}
}

// instruction is one line of a routine.
type instruction struct {
	op     string
	args   []string
	public bool // what it loads is not secret, nor where from
}

// registers are the general ones that hold secrets, and the flags.
type registers map[string]bool

// scan returns what is wrong in a file. What matches public is not secret: the operands
// of a MOVQ, or a whole instruction.
func scan(text string, public *regexp.Regexp) (complaints []string) {
	name, body, labels := "", []instruction(nil), map[string]int{}
	finish := func() {
		for _, c := range follow(body, labels) {
			complaints = append(complaints, name+": "+c)
		}
		body, labels = nil, map[string]int{}
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		for part := range strings.SplitSeq(line, ";") {
			part = strings.TrimSpace(part)
			op, rest, _ := strings.Cut(part, " ")
			switch {
			case part == "" || strings.HasPrefix(part, "#") || op == "DATA" || op == "GLOBL":
			case op == "TEXT":
				finish()
				name, _, _ = strings.Cut(rest, "(SB)")
			case strings.HasSuffix(part, ":"):
				labels[strings.TrimSuffix(part, ":")] = len(body)
			default:
				allowed := public != nil && (public.MatchString(rest) || public.MatchString(part))
				body = append(body, instruction{op, arguments(rest), allowed})
			}
		}
	}
	finish()
	return complaints
}

// arguments splits at commas.
func arguments(rest string) (args []string) {
	for a := range strings.SplitSeq(rest, ",") {
		if a = strings.TrimSpace(a); a != "" {
			args = append(args, a)
		}
	}
	return args
}

// follow runs over the instructions until what is known before each does not change.
func follow(body []instruction, labels map[string]int) (complaints []string) {
	before := make([]registers, len(body)+1)
	before[0] = registers{}
	work := []int{0}
	reported := map[int]bool{}
	for len(work) > 0 {
		at := work[len(work)-1]
		work = work[:len(work)-1]
		if at == len(body) {
			continue
		}
		in := body[at]
		after, complaint := step(in, before[at])
		if complaint != "" && !reported[at] {
			reported[at] = true
			complaints = append(complaints, complaint)
		}
		for _, next := range successors(in, at, labels) {
			if merge(before, next, after) {
				work = append(work, next)
			}
		}
	}
	return complaints
}

// merge adds what is secret after one instruction to what is secret before another, and
// reports whether that was news.
func merge(before []registers, next int, after registers) (news bool) {
	if before[next] == nil {
		before[next], news = registers{}, true
	}
	for r := range after {
		if !before[next][r] {
			before[next][r], news = true, true
		}
	}
	return news
}

func successors(in instruction, at int, labels map[string]int) []int {
	switch {
	case in.op == "RET":
		return nil
	case in.op == "JMP":
		return []int{labels[in.args[0]]}
	case in.op[0] == 'J':
		return []int{at + 1, labels[in.args[0]]}
	}
	return []int{at + 1}
}

var (
	generalRegister = regexp.MustCompile(`^([ABCD]X|[SD]I|BP|R\d+)$`)
	vectorRegister  = regexp.MustCompile(`^([XYZ]|K)\d+$`)
	addressParts    = regexp.MustCompile(`\(([A-Z0-9]+)(?:\*\d)?\)`)
)

// secret reports whether an operand may hold a secret.
func (r registers) secret(arg string) bool {
	switch {
	case arg[0] == '$' || strings.HasSuffix(arg, "(FP)"):
		return false
	case generalRegister.MatchString(arg):
		return r[arg]
	}
	return true // memory, a vector register
}

// step returns what is secret after an instruction, and what is wrong with it.
func step(in instruction, before registers) (after registers, complaint string) {
	after = registers{}
	for r := range before {
		after[r] = true
	}
	for _, arg := range in.args {
		for _, part := range addressParts.FindAllStringSubmatch(arg, -1) {
			if before[part[1]] || vectorRegister.MatchString(part[1]) && !in.public {
				complaint = in.op + " " + strings.Join(in.args, ", ") + ": the address may be secret"
			}
		}
	}
	set := func(r string, secret bool) {
		delete(after, r)
		if secret {
			after[r] = true
		}
	}
	switch {
	case len(in.args) == 0 || in.op == "JMP": // RET, VZEROUPPER
	case in.op[0] == 'J':
		if before["flags"] {
			complaint = in.op + ": the condition may be secret"
		}
	case strings.HasPrefix(in.op, "CMP") || strings.HasPrefix(in.op, "TEST") || strings.HasPrefix(in.op, "KORTEST") || strings.HasPrefix(in.op, "KTEST"):
		set("flags", before.secret(in.args[0]) || before.secret(in.args[1]))
	case strings.HasPrefix(in.op, "MOV"):
		set(in.args[1], before.secret(in.args[0]) && !in.public)
	case in.op == "LEAQ":
		set(in.args[1], complaint != "")
	case in.op[0] == 'V' || in.op[0] == 'K':
		if last := in.args[len(in.args)-1]; generalRegister.MatchString(last) {
			set(last, true)
		}
	default: // arithmetic
		last := in.args[len(in.args)-1]
		secret := before["flags"] && (strings.HasPrefix(in.op, "ADC") || strings.HasPrefix(in.op, "SBB"))
		for _, arg := range in.args {
			secret = secret || before.secret(arg)
		}
		if in.op == "XORQ" && in.args[0] == last {
			secret = false
		}
		set("flags", secret)
		if generalRegister.MatchString(last) {
			set(last, secret)
		}
	}
	return after, complaint
}
