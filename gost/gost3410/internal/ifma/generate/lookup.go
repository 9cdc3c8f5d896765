package main

import (
	"fmt"
	"strings"
)

// lookups returns the routines that find points in tables. In DI is where the point
// goes, SI the table, DX the scalars, CX how far to shift them, R9 the layout, see
// type layout.
func lookups() string {
	var out strings.Builder
	out.WriteString(fileHeader)
	out.WriteString(`
// func gather(point, table *lanes, scalars *byte, shift uint64, l *layout)
// reads only the entries that are wanted: not for secrets.
TEXT ·gather(SB), NOSPLIT, $0-40
` + digit + `	VPMULUDQ 256(R9), Z1, Z1
	VPADDQ 320(R9), Z1, Z1
	MOVQ 384(R9), CX
	MOVQ 392(R9), AX
words:
	KXNORB K2, K2, K2
	VPGATHERQQ (SI)(Z1*8), K2, Z2
	VMOVDQU64 Z2, (DI)
	ADDQ AX, SI
	ADDQ $64, DI
	DECQ CX
	JNZ words
	VZEROUPPER
	RET
`)
	for _, words := range []int{8, 10, 16, 20} {
		out.WriteString(scan(words))
	}
	out.WriteString(`
// func permute(z, x *lanes, count int, index *lanes)
// sets the lanes of z to those of x that index tells.
TEXT ·permute(SB), NOSPLIT, $0-32
	MOVQ z+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ count+16(FP), CX
	MOVQ index+24(FP), DX
	VMOVDQU64 (DX), Z0
vectors:
	VPERMQ (SI), Z0, Z1
	VMOVDQU64 Z1, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ vectors
	VZEROUPPER
	RET
`)
	return out.String()
}

// digit loads the arguments, the digits into Z1, as indices, and into K1 which of them
// are negative, and stores that behind the point.
const digit = `	MOVQ point+0(FP), DI
	MOVQ table+8(FP), SI
	MOVQ scalars+16(FP), DX
	VMOVQ shift+24(FP), X2
	MOVQ l+32(FP), R9
	VMOVDQU64 (R9), Z0
	KXNORB K2, K2, K2
	VPXORQ Z1, Z1, Z1
	VPGATHERQQ (DX)(Z0*1), K2, Z1
	VPSRLQ X2, Z1, Z1
	VPTESTNMQ 128(R9), Z1, K1
	VPXORQ 64(R9), Z1, K1, Z1
	VPANDQ 192(R9), Z1, Z1
	KMOVB K1, AX
	MOVQ 400(R9), BX
	MOVQ AX, (DI)(BX*1)
`

// scan returns the routine for secrets: it reads all entries, of so many words in
// every lane, and keeps the ones that are wanted.
func scan(words int) string {
	var out strings.Builder
	fmt.Fprintf(&out, `
// func scan%[1]d(point, table *lanes, scalars *byte, shift uint64, l *layout)
// reads the whole table.
TEXT ·scan%[1]d(SB), NOSPLIT, $0-40
%[2]s	MOVQ 408(R9), CX
	VPXORQ Z2, Z2, Z2
	VPTERNLOGQ $255, Z3, Z3, Z3
`, words, digit)
	for i := range words {
		fmt.Fprintf(&out, "\tVPXORQ Z%[1]d, Z%[1]d, Z%[1]d\n", 32-words+i)
	}
	out.WriteString("entries:\n\tVPCMPEQQ Z2, Z1, K2\n\tVPSUBQ Z3, Z2, Z2\n")
	for i := range words {
		fmt.Fprintf(&out, "\tVMOVDQU64 %d(SI), K2, Z%d\n", 64*i, 32-words+i)
	}
	fmt.Fprintf(&out, "\tADDQ $%d, SI\n\tDECQ CX\n\tJNZ entries\n", 64*words)
	for i := range words {
		fmt.Fprintf(&out, "\tVMOVDQU64 Z%d, %d(DI)\n", 32-words+i, 64*i)
	}
	out.WriteString("\tVZEROUPPER\n\tRET\n")
	return out.String()
}
