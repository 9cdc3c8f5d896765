package tokens

import "time"

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

// Parallel lets n calls run in the library at once: for HSMs, whose libraries are made
// for it. Otherwise, and with n below 2, it is one call at a time.
func Parallel(n int) Option { return optionFunc(func(o *options) { o.parallel = n }) }

// Deadlines say how long the calls of a library may take before its process is ended,
// with reason.TokenTimeout. It is an [Option]; a zero field has its default.
type Deadlines struct {
	Start  time.Duration // to load and initialise: 30 s
	Call   time.Duration // of everything that waits for nobody: 30 s
	Person time.Duration // of what may wait for a person at a PIN pad, and of generating keys: 2 min
}

func (d Deadlines) apply(o *options) { o.deadlines = d }
