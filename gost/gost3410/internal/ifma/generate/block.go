package main

import (
	"fmt"
	"slices"
	"strings"
)

// A value is what one instruction computes, eight lanes of 64 bits, by its number in
// a block. It never changes.
type value int

// none stands for no value; where an instruction adds to it, for zero.
const none value = -1

// An operand is a value or, if that is none, a place in memory.
type operand struct {
	v   value
	mem string
}

// An instruction computes dst from args, in the order of the assembler, whose first
// one may be in memory. If accumulates, it adds to acc.
type instruction struct {
	text        string // mnemonic with an immediate operand, if any
	args        []operand
	mask        string // mask register, if any
	dst         value  // none for a store
	acc         value
	accumulates bool
	commutes    bool
	separate    bool // dst must not be in a register of the args
	registers   bool // no argument may be in memory
	shift       bool // goes to the one port that shifts
	latency     int
	before      string // instruction that goes before, in one piece with this
}

// A block is straight-line code, first as a list of instructions without registers,
// in which every value is computed once.
type block struct {
	name   string
	code   []instruction
	count  int              // values
	homes  map[value]string // memory that holds a value
	consts *constants
	loaded map[string]value
	slots  int // of 64 bytes, for values that find no register
}

func newBlock(name string, c *constants) *block {
	return &block{name: name, consts: c, homes: map[value]string{}, loaded: map[string]value{}}
}

func (b *block) value() value {
	b.count++
	return value(b.count - 1)
}

// load returns the value of a place in memory, which is read when it is needed.
func (b *block) load(mem string) value {
	v, ok := b.loaded[mem]
	if !ok {
		v = b.value()
		b.loaded[mem], b.homes[v] = v, mem
	}
	return v
}

func (b *block) add(i instruction) value {
	i.dst = b.value()
	b.code = append(b.code, i)
	return i.dst
}

// op adds an instruction with the latency of one cycle.
func (b *block) op(text string, args ...value) value {
	return b.add(instruction{text: text, args: operands(args), latency: 1, acc: none,
		shift: strings.HasPrefix(text, "VPS") && !strings.HasPrefix(text, "VPSUB"), commutes: strings.HasPrefix(text, "VPADD")})
}

func operands(args []value) (out []operand) {
	for _, v := range args {
		out = append(out, operand{v: v})
	}
	return out
}

// multiply adds the lower or the upper half of a product to acc.
func (b *block) multiply(half string, acc, x, y value) value {
	return b.add(instruction{text: "VPMADD52" + half + "Q", args: operands([]value{x, y}), latency: 4, acc: acc, accumulates: true, commutes: true,
		separate: acc == none}) // or the register would be cleared before it is read
}

// store writes a value to memory.
func (b *block) store(mem string, v value) {
	b.code = append(b.code, instruction{text: "VMOVDQU64", args: []operand{{v: v}, {none, mem}}, dst: none, acc: none, latency: 1})
}

// uses returns all values that an instruction reads.
func (i *instruction) uses() (vs []value) {
	for _, a := range i.args {
		if a.v != none {
			vs = append(vs, a.v)
		}
	}
	if i.acc != none {
		vs = append(vs, i.acc)
	}
	return vs
}

// window is how far ahead an instruction may be moved.
const window = 90

// schedule orders the instructions for a processor that starts two of them in a
// cycle, one of which may be a shift: of those that could start, the one on the longest
// way to the end goes first.
func (b *block) schedule() {
	after, waits := b.dependencies()
	rank := make([]int, len(b.code))
	for i := len(b.code) - 1; i >= 0; i-- {
		for _, j := range after[i] {
			rank[i] = max(rank[i], rank[j])
		}
		rank[i] += b.code[i].latency
	}
	ready, done := make([]int, len(b.code)), make([]bool, len(b.code))
	var out []instruction
	first := 0
	for cycle := 0; len(out) < len(b.code); cycle++ {
		shifts := 0
		for range 2 {
			best := -1
			for i := first; i < min(first+window, len(b.code)); i++ {
				if done[i] || waits[i] > 0 || ready[i] > cycle || b.code[i].shift && shifts > 0 {
					continue
				}
				if best < 0 || rank[i] > rank[best] {
					best = i
				}
			}
			if best < 0 {
				break
			}
			if b.code[best].shift {
				shifts++
			}
			done[best] = true
			out = append(out, b.code[best])
			for _, j := range after[best] {
				waits[j]--
				ready[j] = max(ready[j], cycle+b.code[best].latency)
			}
			for first < len(b.code) && done[first] {
				first++
			}
		}
	}
	b.code = out
}

// dependencies returns which instructions must come after which, and how many others
// each has to wait for. A store must come after all that use what was there.
func (b *block) dependencies() (after [][]int, waits []int) {
	after, waits = make([][]int, len(b.code)), make([]int, len(b.code))
	made := map[value]int{}
	users := map[string][]int{}
	need := func(i, j int) {
		if i != j && !slices.Contains(after[i], j) {
			after[i] = append(after[i], j)
			waits[j]++
		}
	}
	for j := range b.code {
		for _, v := range b.code[j].uses() {
			if i, ok := made[v]; ok {
				need(i, j)
			}
			if mem, ok := b.homes[v]; ok {
				users[mem] = append(users[mem], j)
			}
		}
		if b.code[j].dst != none {
			made[b.code[j].dst] = j
		}
	}
	for j := range b.code {
		if b.code[j].dst != none {
			continue
		}
		for _, i := range users[b.code[j].args[1].mem] {
			if i < j {
				need(i, j)
			} else if i > j {
				panic(fmt.Sprintf("%s: %s is used after it was stored to", b.name, b.code[j].args[1].mem))
			}
		}
	}
	return after, waits
}
