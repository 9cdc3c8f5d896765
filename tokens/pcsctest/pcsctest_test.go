//go:build unix

package pcsctest

import (
	"os/exec"
	"strings"
	"testing"

	"propusk/tokens/virtualcard"
)

func TestBlank(t *testing.T) {
	s := Start(t)
	card, err := virtualcard.New(virtualcard.Options{Blank: true})
	must(t, err)
	s.Insert(card)
	for _, line := range []string{
		"opensc-tool --atr --name --serial",
		"pkcs15-init -E -C --so-pin 87654321 --so-puk= --label Blank",
		"pkcs15-init -P --auth-id 2 --so-pin 87654321 --pin 12345678 --puk= --label User",
		"pkcs15-init -F",
		"pkcs15-init -G gostr3410:A --auth-id 2 --id 45 --label mykey --so-pin 87654321 --pin 12345678",
		"pkcs15-tool -D",
	} {
		args := strings.Fields(line)
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		t.Logf("%s: %v\n%s", line, err, out)
	}
	s.Remove()
}
