//go:build linux && cgo

package tokens_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/faulty"
	"propusk/tokens/soft/softtest"
)

// patience is how long is waited for what must happen.
const patience = time.Minute

// children are the processes that a process has started and that run a library.
func children(t *testing.T, parent int) []int {
	t.Helper()
	var all []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		// The name, in brackets, may have anything in it.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err == nil && fields[1] == strconv.Itoa(parent) && bytes.HasPrefix(line, []byte("propusk-token-library\x00")) {
			all = append(all, pid)
		}
	}
	return all
}

// gone waits for a process to end.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.Contains(stat[bytes.LastIndexByte(stat, ')'):], []byte(") Z ")) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d is still there: %s", pid, stat)
		}
	}
}

// The environment of a library is what is allowed and what was said, and nothing else.
func TestEnvironmentIsScrubbed(t *testing.T) {
	for _, name := range []string{"LD_LIBRARY_PATH", "OPENSSL_CONF", "PROPUSK_CANARY", "PATH"} {
		t.Setenv(name, os.Getenv(name)+string(filepath.ListSeparator)+"/canary")
	}
	token := softtest.New(t, softtest.Options{})
	t.Setenv(softtest.Environment, token.Dir)
	m, err := tokens.Open(softtest.Module(t), tokens.Environment("WANTED=1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Find(token.Label); err != nil { // its directory is allowed
		t.Error(err)
	}
	found := children(t, os.Getpid())
	if len(found) != 1 {
		t.Fatalf("%d processes", len(found))
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", found[0]))
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Getuid() != 0:
		t.Skip("only root can look into the process of a library")
	case err != nil:
		t.Fatal(err)
	}
	if bytes.Contains(env, []byte("canary")) || !bytes.Contains(env, []byte("\x00WANTED=1\x00")) {
		t.Errorf("the environment is %q", env)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	gone(t, found[0])
}

// holder is the variable that makes the test binary hold a library open until it is
// killed: see TestNoOrphans.
const holder = "PROPUSK_TEST_HOLDER"

func TestHolder(t *testing.T) {
	library := os.Getenv(holder)
	if library == "" {
		t.Skip("this is the other half of TestNoOrphans")
	}
	m, err := tokens.Open(library, tokens.Environment(strings.Split(os.Getenv(holder+"_ENVIRONMENT"), "\n")...))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = m.Tokens() }() // hangs, if the library does
	fmt.Println("open")
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// A library goes when the process that it works for is killed, even if it hangs.
func TestNoOrphans(t *testing.T) {
	dir := softtest.New(t, softtest.Options{}).Dir
	hangs := faulty.New(t, dir, faulty.Fault{Function: "C_GetSlotList", What: "hang"}, false)
	for name, library := range map[string]string{"idle": softtest.Module(t), "hanging": hangs.Path} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestHolder$")
			cmd.Env = append(os.Environ(), holder+"="+library, holder+"_ENVIRONMENT="+strings.Join(hangs.Environment, "\n"))
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			found := children(t, cmd.Process.Pid)
			if err != nil || line != "open\n" || len(found) != 1 {
				t.Fatalf("%q, %v, %d processes", line, err, len(found))
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed
			gone(t, found[0])
		})
	}
}

// What a library prints after a PIN is not in errors, and before it is.
func TestWhatLibrariesPrint(t *testing.T) {
	token := softtest.New(t, softtest.Options{})
	deadlines := tokens.Deadlines{Start: patience, Call: patience, Person: patience}
	open := func(function string) *tokens.Module {
		l := faulty.New(t, token.Dir, faulty.Fault{Function: function, What: "crash"}, true)
		m, err := tokens.Open(l.Path, tokens.Environment(l.Environment...), deadlines)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() }) // its process may have gone
		return m
	}
	if _, err := open("C_GetSlotList").Tokens(); reason.Of(err) != reason.TokenCrashed {
		t.Errorf("%v", err)
	}
	found, err := open("C_Login").Find("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = found.Login([]byte(token.PIN), false)
	if reason.Of(err) != reason.TokenCrashed || strings.Contains(err.Error(), token.PIN) || strings.Contains(err.Error(), "SIGSEGV") {
		t.Errorf("%v", err)
	}
	// And the next one works, with the PIN that is entered anew.
	s, err := found.Login([]byte(token.PIN), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := token.Tries(t); got != 10 {
		t.Errorf("%d tries are left", got)
	}
}

// What is no library is refused, and says why.
func TestOpenNeedsAFile(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none.so"), os.Args[0], t.TempDir(), ""} {
		if m, err := tokens.Open(path); m != nil || reason.Of(err) != reason.TokenModuleBad {
			t.Errorf("%q: %v, %v", path, m, err)
		}
	}
}

// What a library leaves behind holds the pipes of its process; we do not wait for it, and
// it costs us nothing: neither a file nor a goroutine.
func TestWhatLibrariesLeaveBehind(t *testing.T) {
	l := faulty.New(t, softtest.New(t, softtest.Options{}).Dir, faulty.Fault{Function: "C_GetSlotList", What: "daemon"}, false)
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	files := 0
	for i := range 4 {
		m, err := tokens.Open(l.Path, tokens.Environment(l.Environment...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Tokens(); err != nil {
			t.Fatal(err)
		}
		found := children(t, os.Getpid())
		if len(found) != 1 {
			t.Fatalf("%d processes", len(found))
		}
		// They are of one process group; what was left behind is still there.
		defer func() {
			if err := syscall.Kill(-found[0], syscall.SIGKILL); err != nil {
				t.Errorf("nothing was left behind: %v", err)
			}
		}()
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		gone(t, found[0])
		if i == 0 {
			for end := time.Now().Add(10 * time.Second); stuck() && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			}
			files = open()
		}
	}
	for end := time.Now().Add(patience); stuck() || open() > files; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d files are open, %d were; readers are left: %t", open(), files, stuck())
		}
	}
}

// stuck reports whether anybody still reads what a process of a library says.
func stuck() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("(*process).drain"))
}

// A process that does nothing any more, not even see that it has no parent, is ended when
// its time is over, and nothing of it is left.
func TestStoppedLibrary(t *testing.T) {
	token := softtest.New(t, softtest.Options{})
	m, err := tokens.Open(softtest.Module(t), tokens.Environment(softtest.Environment+"="+token.Dir),
		tokens.Deadlines{Start: patience, Call: 5 * time.Second, Person: patience})
	if err != nil {
		t.Fatal(err)
	}
	found := children(t, os.Getpid())
	if len(found) != 1 {
		t.Fatalf("%d processes", len(found))
	}
	if err := syscall.Kill(found[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Tokens(); reason.Of(err) != reason.TokenTimeout {
		t.Errorf("%v", err)
	}
	gone(t, found[0])
	if _, err := m.Find(""); err != nil {
		t.Errorf("the next one: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
