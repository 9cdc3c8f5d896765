package main

import (
	"fmt"
	"strings"
)

// allocator gives registers to the values of a block, and memory to those that find
// none: the one that is needed last goes first.
type allocator struct {
	*block
	strings.Builder
	holds   [32]value // what a register holds
	where   map[value]int
	next    map[value][]int // where a value is still used
	at      int
	pinned  map[value]bool
	free    []int // slots
	slotOf  map[value]int
	spilled int
}

// near is how soon a value has to be used again to be worth a register.
const near = 48

// emit returns the assembly of the block.
func (b *block) emit() string {
	a := &allocator{block: b, where: map[value]int{}, next: map[value][]int{}, slotOf: map[value]int{}}
	for r := range a.holds {
		a.holds[r] = none
	}
	for i := range b.code {
		for _, v := range b.code[i].uses() {
			a.next[v] = append(a.next[v], i)
		}
	}
	for i := range b.code {
		a.at = i
		a.instruction(&b.code[i])
	}
	b.slots = a.spilled
	return a.String()
}

func (a *allocator) instruction(i *instruction) {
	a.pinned = map[value]bool{}
	args := make([]string, len(i.args))
	if i.commutes && len(i.args) == 2 && a.inMemory(i.args[1].v) && !a.inMemory(i.args[0].v) {
		i.args[0], i.args[1] = i.args[1], i.args[0]
	}
	for _, v := range i.uses() {
		a.pinned[v] = true
	}
	for n, arg := range i.args {
		switch {
		case arg.v == none:
			args[n] = arg.mem
		case n == 0 && i.dst != none && !i.registers && a.direct(arg.v, i):
			args[n] = a.homes[arg.v]
		default:
			args[n] = reg(a.need(arg.v))
		}
	}
	target := -1
	if i.accumulates && i.acc != none {
		target = a.accumulator(i.acc)
	}
	for _, v := range i.uses() {
		a.consume(v)
	}
	if i.dst != none {
		if target < 0 {
			if i.separate {
				target = a.take() // while the args are pinned
			}
			a.drop(i)
			if !i.separate {
				target = a.take()
			}
		} else {
			a.drop(i)
		}
		a.holds[target], a.where[i.dst] = i.dst, target
	} else {
		a.drop(i)
	}
	a.write(i, args, target)
	if i.dst != none && len(a.next[i.dst]) == 0 {
		a.release(i.dst)
	}
}

func (a *allocator) write(i *instruction, args []string, target int) {
	if i.accumulates && i.acc == none {
		fmt.Fprintf(a, "\tVPXORQ %[1]s, %[1]s, %[1]s\n", reg(target))
	}
	if i.before != "" {
		fmt.Fprintf(a, "\t%s\n", i.before)
	}
	text := i.text
	name, imm, found := strings.Cut(text, " ")
	for n := range args {
		if mem, ok := strings.CutPrefix(args[n], "broadcast "); ok {
			args[n] = mem
			if name == "VMOVDQU64" {
				name = "VPBROADCASTQ"
			} else {
				name += ".BCST"
			}
		}
	}
	if found {
		args = append([]string{imm}, args...)
	}
	if i.mask != "" {
		args = append(args, i.mask)
	}
	if target >= 0 {
		args = append(args, reg(target))
	}
	fmt.Fprintf(a, "\t%s %s\n", name, strings.Join(args, ", "))
}

func reg(r int) string { return fmt.Sprintf("Z%d", r) }

// inMemory reports whether a value is in memory only.
func (a *allocator) inMemory(v value) bool {
	_, held := a.where[v]
	return v != none && !held
}

// direct reports whether to read v from memory where it is used.
func (a *allocator) direct(v value, i *instruction) bool {
	if !a.inMemory(v) || strings.HasPrefix(a.homes[v], "broadcast ") && !broadcasts(i.text) {
		return false
	}
	next := a.next[v]
	return len(next) < 2 || next[1] > a.at+near
}

// broadcasts reports whether an instruction may read one word of memory for all lanes.
func broadcasts(text string) bool {
	return strings.HasPrefix(text, "VPMADD52") || strings.HasPrefix(text, "VPADDQ") || strings.HasPrefix(text, "VPSUBQ") || strings.HasPrefix(text, "VPANDQ")
}

// need returns the register of v, which is loaded if it is in none.
func (a *allocator) need(v value) int {
	if r, ok := a.where[v]; ok {
		return r
	}
	r := a.take()
	mem, ok := a.homes[v]
	if !ok {
		panic(fmt.Sprintf("%s: value %d is nowhere", a.name, v))
	}
	load := &instruction{text: "VMOVDQU64"}
	a.write(load, []string{mem}, r)
	a.holds[r], a.where[v] = v, r
	return r
}

// accumulator returns a register with v that may be overwritten.
func (a *allocator) accumulator(v value) int {
	r := a.need(v)
	if len(a.next[v]) == 1 {
		return r
	}
	copied := a.take()
	fmt.Fprintf(a, "\tVMOVDQA64 %s, %s\n", reg(r), reg(copied))
	return copied
}

// take returns a register that is free, or makes one.
func (a *allocator) take() int {
	far, victim := -1, -1
	for r, v := range a.holds {
		if v == none {
			return r
		}
		if a.pinned[v] {
			continue
		}
		use := len(a.code)
		if n := a.next[v]; len(n) > 0 {
			use = n[0]
		}
		if _, ok := a.homes[v]; ok {
			use += 8 // needs no store
		}
		if use > far {
			far, victim = use, r
		}
	}
	v := a.holds[victim]
	if _, ok := a.homes[v]; !ok {
		slot := a.spilled
		if n := len(a.free); n > 0 {
			slot, a.free = a.free[n-1], a.free[:n-1]
		} else {
			a.spilled++
		}
		a.slotOf[v] = slot
		a.homes[v] = fmt.Sprintf("%d(R8)", 64*slot)
		fmt.Fprintf(a, "\tVMOVDQU64 %s, %s\n", reg(victim), a.homes[v])
	}
	a.holds[victim] = none
	delete(a.where, v)
	return victim
}

// consume counts a use of v.
func (a *allocator) consume(v value) { a.next[v] = a.next[v][1:] }

// drop frees what the instruction was the last to use.
func (a *allocator) drop(i *instruction) {
	for _, v := range i.uses() {
		if len(a.next[v]) == 0 {
			a.release(v)
		}
	}
}

// release frees the register and the slot of v.
func (a *allocator) release(v value) {
	if r, ok := a.where[v]; ok {
		if a.holds[r] == v {
			a.holds[r] = none
		}
		delete(a.where, v)
	}
	if slot, ok := a.slotOf[v]; ok {
		a.free = append(a.free, slot)
		delete(a.slotOf, v)
	}
}
