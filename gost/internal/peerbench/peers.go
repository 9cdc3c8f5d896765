package main

import (
	"context"
	_ "embed" // for the source of the C program
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed engine/engine.c
var engineSource []byte

// unsupported is the exit status of the C program for what the engine lacks.
const unsupported = 3

// A peer measures one operation for about the given time. It returns the
// nanoseconds of processor time of one operation, and false when it cannot do the operation.
type peer func(ctx context.Context, op operation, each time.Duration) (float64, bool, error)

// peers are who is compared; ours is the first, and pure is ours without assembly, or nil.
type peers struct {
	ours, pure, engine, gogost peer
}

// build compiles the peers into dir. Without a C compiler the engine is left out.
func build(ctx context.Context, dir string, pure bool) (peers, error) {
	benchmarks, err := buildBenchmarks(ctx, filepath.Join(dir, "peers.test"))
	if err != nil {
		return peers{}, err
	}
	p := peers{
		ours:   goPeer(benchmarks, "ours"),
		gogost: goPeer(benchmarks, "gogost"),
		engine: func(context.Context, operation, time.Duration) (float64, bool, error) { return 0, false, nil },
	}
	if pure {
		without, err := buildBenchmarks(ctx, filepath.Join(dir, "pure.test"), "-tags", "purego")
		if err != nil {
			return peers{}, err
		}
		p.pure = goPeer(without, "ours")
	}
	program, err := buildEngine(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gost-engine is left out:", err)
		return p, nil
	}
	p.engine = enginePeer(program)
	return p, nil
}

// buildBenchmarks compiles the benchmarks of this package, with flags, and returns the path.
func buildBenchmarks(ctx context.Context, program string, flags ...string) (string, error) {
	args := append([]string{"test", "-c", "-o", program}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "propusk/gost/internal/peerbench")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile the benchmarks: %w\n%s", err, out)
	}
	return program, nil
}

// buildEngine compiles the C program and returns its path.
func buildEngine(ctx context.Context, dir string) (string, error) {
	source, program := filepath.Join(dir, "engine.c"), filepath.Join(dir, "engine")
	if err := os.WriteFile(source, engineSource, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "gcc", "-O2", "-Wno-deprecated-declarations", "-o", program, source, "-lcrypto")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc with the headers of OpenSSL (Debian: gcc, libssl-dev): %w\n%s", err, out)
	}
	return program, nil
}

// enginePeer runs the C program.
func enginePeer(program string) peer {
	return func(ctx context.Context, op operation, each time.Duration) (float64, bool, error) {
		out, err := exec.CommandContext(ctx, program, op.engine, strconv.FormatFloat(each.Seconds(), 'f', -1, 64)).Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == unsupported {
			return 0, false, nil
		}
		if err != nil {
			return 0, false, fmt.Errorf("gost-engine, %s: %w", op.name, err)
		}
		ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		return ns, err == nil, err
	}
}

// goPeer runs one benchmark of this package.
func goPeer(program, who string) peer {
	return func(ctx context.Context, op operation, each time.Duration) (float64, bool, error) {
		cmd := exec.CommandContext(ctx, program,
			"-test.run=^$", "-test.bench=^BenchmarkPeers$/^"+who+"$/^"+op.name+"$", "-test.benchtime="+each.String())
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, false, fmt.Errorf("%s, %s: %w\n%s", who, op.name, err, out)
		}
		return parseBenchmark(string(out))
	}
}

// parseBenchmark returns the figure before "cpu-ns/op", and false when no benchmark
// ran.
func parseBenchmark(out string) (float64, bool, error) {
	fields := strings.Fields(out)
	for i, f := range fields {
		if f == "cpu-ns/op" && i > 0 {
			ns, err := strconv.ParseFloat(fields[i-1], 64)
			return ns, err == nil, err
		}
	}
	return 0, false, nil
}
