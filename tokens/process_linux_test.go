package tokens

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inChild is the variable that makes the test binary a child that says what may be seen of
// it: see TestMemoryOfTheChild.
const inChild = "PROPUSK_TEST_CHILD"

func TestChildPipes(t *testing.T) {
	if os.Getenv(inChild) == "" {
		t.Skip("this is the other half of TestMemoryOfTheChild")
	}
	_, answers, err := childPipes()
	if err != nil {
		t.Fatal(err)
	}
	said := "secret"
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		said = "others may read the memory"
	}
	var cores unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &cores); err != nil || cores != (unix.Rlimit{}) {
		said = "there are cores"
	}
	if _, err := answers.WriteString(said); err != nil {
		t.Fatal(err)
	}
	os.Exit(0) // before the test says something
}

// The memory of a process of a library, through which PINs pass, is not written to a core,
// nor to a program that takes cores, nor can other programs of the user read it.
func TestMemoryOfTheChild(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildPipes$")
	cmd.Env = append(os.Environ(), inChild+"=1")
	said, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(said)) != "secret" {
		t.Errorf("%q, %v", said, err)
	}
}
