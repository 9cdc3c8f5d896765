package tokens

import (
	"os"
	"time"
)

// An Option changes how [Open] runs a library.
type Option interface{ apply(*options) }

type options struct {
	inProcess   bool
	environment []string
	deadlines   Deadlines
	parallel    int
}

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

// InProcess runs the library in this process, where it can crash, hang and corrupt it:
// for benchmarks and for tests that need no more. [Deadlines] do not work then.
func InProcess() Option { return optionFunc(func(o *options) { o.inProcess = true }) }

// Environment adds variables "NAME=value" to the environment of the library, which is
// otherwise scrubbed.
func Environment(variables ...string) Option {
	return optionFunc(func(o *options) { o.environment = append(o.environment, variables...) })
}

// maxParallel limits [Parallel].
const maxParallel = 64

// Parallel lets n calls, at most 64, run in the library at once: for HSMs, whose
// libraries are made for it. Otherwise, and with n below 2, it is one call at a time.
func Parallel(n int) Option {
	return optionFunc(func(o *options) { o.parallel = min(max(n, 1), maxParallel) })
}

// Deadlines say how long the calls of a library may take before its process is ended,
// with reason.TokenTimeout. It is an [Option]; a zero field has its default.
type Deadlines struct {
	Start  time.Duration // to load and initialise: 30 s
	Call   time.Duration // of everything that waits for nobody: 30 s
	Person time.Duration // of what may wait for a person at a PIN pad, and of generating keys: 2 min
}

func (d Deadlines) apply(o *options) { o.deadlines = d }

// defaults fills in what was not said.
func (d Deadlines) defaults() Deadlines {
	for _, f := range []struct {
		field     *time.Duration
		otherwise time.Duration
	}{{&d.Start, 30 * time.Second}, {&d.Call, 30 * time.Second}, {&d.Person, 2 * time.Minute}} {
		if *f.field <= 0 {
			*f.field = f.otherwise
		}
	}
	return d
}

// inherited are the variables that a library gets if they are set: where its settings,
// its service and its files are, and how it speaks. Everything else stays out: LD_*,
// OPENSSL_* and PATH change what code runs, and secrets in the environment are none of
// its business.
var inherited = []string{
	"HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
	"PCSCLITE_CSOCK_NAME", "OPENSC_CONF", "OPENSC_DRIVER", "SOFTHSM2_CONF", "SOFTHSM_CONF", "PROPUSK_SOFT_TOKENS",
	// Without these, libraries of Windows do not start.
	"SystemRoot", "SystemDrive", "windir", "TEMP", "TMP", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA", "ProgramData",
	"ProgramFiles", "ProgramFiles(x86)", "CommonProgramFiles",
}

// childEnvironment is the environment of a library.
func (o *options) childEnvironment() []string {
	// A crash is told by its exit code; traces of it may show what was in memory.
	env := []string{"GOTRACEBACK=none"}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, o.environment...)
}
