package selftest

import (
	"testing"

	"propusk/gost/gost28147"
	"propusk/gost/kdf"
	"propusk/gost/magma"
)

// TestWrongModes gives the checks of modes a wrong known answer: none may pass.
func TestWrongModes(t *testing.T) {
	stream := func(meshing gost28147.Meshing, begin, end string) error {
		s, err := gost28147.NewCNT(make([]byte, 32), make([]byte, 8), gost28147.TC26Z(), meshing)
		if err != nil {
			t.Fatal(err)
		}
		return cntRecords(s, begin, end)
	}
	const other = "00" // instead of the first byte of an answer
	for name, err := range map[string]error{
		"sealed":        seals(magma.New, magmaKey, "12def06b3c130a59", magmaData, magmaText, other+magmaSealed[2:]),
		"nonce":         seals(magma.New, magmaKey, "12def06b3c130a58", magmaData, magmaText, magmaSealed),
		"code":          sections(magma.New, 16, 80, acpkmMessage[:80], other+"008dad5496bb8e"),
		"section":       sections(magma.New, 32, 80, acpkmMessage[:80], "34008dad5496bb8e"),
		"frequency":     sections(magma.New, 16, 40, acpkmMessage[:80], "34008dad5496bb8e"),
		"first record":  stream(gost28147.MeshingCryptoPro, other+cntBegin[2:], cntEnd),
		"second record": stream(gost28147.MeshingCryptoPro, cntBegin, other+cntEnd[2:]),
		"no meshing":    stream(gost28147.MeshingNone, cntBegin, cntEnd),
		"tree":          tree13(kdf.MagmaMGML, 128, serverMagma, other+leafMagma[2:]),
		"record number": tree13(kdf.MagmaMGML, 127, serverMagma, leafMagma),
	} {
		if err == nil {
			t.Errorf("%s: a wrong answer passed", name)
		}
	}
}
