//go:build unix

package pcsclite

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
)

// state writes the state of a reader as pcscd does (src/eventhandler.h).
func state(name string, bits uint32, sharing uint32, atr []byte) []byte {
	b := make([]byte, readerSize)
	copy(b, name)
	binary.NativeEndian.PutUint32(b[maxName:], 3)
	binary.NativeEndian.PutUint32(b[offsetState:], bits)
	binary.NativeEndian.PutUint32(b[offsetSharing:], sharing)
	copy(b[offsetATR:], atr)
	binary.NativeEndian.PutUint32(b[offsetATRSize:], uint32(len(atr)))
	return b
}

func TestReaders(t *testing.T) {
	answer := make([]byte, maxReaders*readerSize)
	copy(answer, state("first", statePresent, 1, []byte{0x3B, 0}))
	copy(answer[2*readerSize:], state("second", stateAbsent, 0, []byte{0x3B, 0}))
	copy(answer[3*readerSize:], state("third", statePresent|stateSwallowed, 0, nil))
	all, err := parseReaders(answer)
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	if r := all[0]; r.Name != "first" || !r.Present || !r.InUse || r.Mute || len(r.ATR) != 2 || r.Events != 3 {
		t.Errorf("%+v", r)
	}
	if r := all[1]; r.Present || r.InUse || r.ATR != nil {
		t.Errorf("%+v", r)
	}
	if r := all[2]; !r.Mute || r.ATR != nil {
		t.Errorf("%+v", r)
	}
	binary.NativeEndian.PutUint32(answer[offsetATRSize:], maxATR+1)
	if _, err := parseReaders(answer); err == nil {
		t.Error("an answer-to-reset without end was taken")
	}
	if _, err := parseReaders(answer[:readerSize]); err == nil {
		t.Error("half of the states was taken")
	}
}

func FuzzReaders(f *testing.F) {
	f.Add(state("first", statePresent, 1, []byte{0x3B, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		answer := make([]byte, maxReaders*readerSize)
		copy(answer, b)
		all, err := parseReaders(answer)
		if err != nil && all != nil || len(all) > maxReaders {
			t.Fatalf("%v, %v", all, err)
		}
		for _, r := range all {
			if r.Name == "" || len(r.ATR) > maxATR || !r.Present && (r.ATR != nil || r.Mute || r.InUse) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// TestVersions speaks with services of other versions.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		name     string
		speaks   []uint32 // minor versions that the service takes
		says     uint32   // its own
		attempts int
		works    bool
	}{
		{"1.9", []uint32{4}, 4, 1, true},
		{"2.3", []uint32{5}, 5, 2, true},
		{"2.5, which takes older ones", []uint32{4, 5, 6}, 6, 1, true},
		{"before 1.8.24", []uint32{3}, 3, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "s")
			listener, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			attempts := make(chan int, 1)
			go func() { attempts <- versions(listener, c.speaks, c.says) }()
			client, err := Dial(t.Context(), socket)
			if (err == nil) != c.works || err != nil && !errors.Is(err, ErrServiceStopped) {
				t.Errorf("%v", err)
			}
			if client != nil {
				client.Close()
			}
			if n := <-attempts; n != c.attempts {
				t.Errorf("%d attempts", n)
			}
		})
	}
}

// versions answers questions about the version, and counts them.
func versions(listener net.Listener, speaks []uint32, says uint32) int {
	conn, err := listener.Accept()
	if err != nil {
		return -1
	}
	defer conn.Close()
	for n := 0; ; n++ {
		question := make([]byte, 8+12)
		if _, err := io.ReadFull(conn, question); err != nil {
			return n
		}
		answer := numbers(versionMajor, says, uint32(ErrServiceStopped))
		for _, v := range speaks {
			if v == number(question, 12) {
				answer = numbers(versionMajor, says, 0)
			}
		}
		if _, err := conn.Write(answer); err != nil {
			return n
		}
	}
}

// TestCancelled ends a client whose service says nothing.
func TestCancelled(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = io.ReadFull(conn, make([]byte, 20))
			cancel()
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	if _, err := Dial(ctx, socket); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
