package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A server is a running process with listeners.
type server struct {
	cmd   *exec.Cmd
	addrs map[string]string // by endpoint
}

// endpoint names a listener by the certificates and what it is for.
func endpoint(key, kind string) string { return key + " " + kind }

// endpointKinds are what there are listeners for: with tickets for resumed handshakes,
// with a cache of keys for clients that return.
func endpointKinds() []string { return []string{full, again, resumed, bulk} }

// stop ends the process. There is nothing to save but the profile, and nobody to tell
// about an error.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// Processors of the server and of the client. On a machine with one they share it.
const (
	serverCPU = "0"
	clientCPU = "1"
)

// pinned returns the command, to be run on one processor if that can be had.
func pinned(ctx context.Context, cpu, name string, args ...string) *exec.Cmd {
	if path, err := exec.LookPath("taskset"); err == nil && exec.CommandContext(ctx, path, "-c", cpu, "true").Run() == nil {
		name, args = path, append([]string{"-c", cpu, name}, args...)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// startOurs starts this program as a server, which tells its addresses in one line.
func startOurs(ctx context.Context, dir, profile string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := pinned(ctx, serverCPU, self, "-role", "serve", "-dir", dir, "-profile", profile)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.addrs)
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("server of gosttls: %w", err)
	}
	return s, nil
}

// measure lets the client work on the server and returns how much it got for a second
// of processor time of the server.
func (s *server) measure(ctx context.Context, o options, dir string, r *row) (float64, error) {
	addr, ok := s.addrs[endpoint(r.key, r.kind)]
	if !ok {
		return 0, fmt.Errorf("no listener for %s", r.key)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	run := func(each time.Duration) (float64, error) {
		out, err := pinned(ctx, clientCPU, self, "-role", "load", "-dir", dir, "-addr", addr, "-suite", string(r.suite),
			"-key", r.key, "-kind", r.kind, "-connections", strconv.Itoa(o.connections), "-time", each.String()).Output()
		if err != nil {
			return 0, err
		}
		return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	}
	if _, err := run(o.each / 10); err != nil { // tables that are made at first use
		return 0, err
	}
	before, err := processorTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	amount, err := run(o.each)
	if err != nil {
		return 0, err
	}
	after, err := processorTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if after <= before || amount == 0 {
		return 0, errors.New("the server did nothing")
	}
	return amount / (after - before).Seconds(), nil
}

// processorTime returns how long the threads of a process have run. Threads that have
// ended do not count; neither nginx nor a Go program ends any.
func processorTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("processor time of process %d: no schedstat: %w", pid, err)
	}
	var total time.Duration
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		total += time.Duration(ns)
	}
	return total, nil
}
