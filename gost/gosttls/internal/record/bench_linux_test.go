package record

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// processorTime returns the nanoseconds that all threads of the process ran.
func processorTime(b *testing.B) int64 {
	b.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return t.Nano()
}

// loop measures f, which handles size bytes, in processor time.
func loop(b *testing.B, size int, f func()) {
	b.Helper()
	b.ReportAllocs()
	f()
	start := processorTime(b)
	for b.Loop() {
		f()
	}
	ns := float64(processorTime(b)-start) / float64(b.N)
	b.ReportMetric(ns, "cpu-ns/op")
	b.ReportMetric(float64(size)/ns*1e3, "cpu-MB/s")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkSeal(b *testing.B) {
	for _, suite := range allSuites {
		s, _ := SuiteByID(suite)
		for _, size := range []int{64, MaxPlaintext} {
			b.Run(fmt.Sprintf("%s/%d", s.Name, size), func(b *testing.B) {
				sealer, _ := pair(b, suite)
				content := make([]byte, size)
				buf := make([]byte, 0, size+64)
				loop(b, size, func() {
					var err error
					if buf, err = sealer.Seal(buf[:0], 23, 0x0303, content); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

func BenchmarkSealMany(b *testing.B) {
	for _, suite := range suites {
		s, _ := SuiteByID(suite)
		for _, count := range []int{1, 2, 3, 4, 6, 8, 12, 16} {
			b.Run(fmt.Sprintf("%s/%d", s.Name, count), func(b *testing.B) {
				sealer, _ := pair(b, suite)
				content := make([]byte, count*MaxPlaintext)
				buf := make([]byte, 0, len(content)+64*count)
				loop(b, len(content), func() {
					var err error
					if buf, _, err = sealer.SealMany(buf[:0], 23, 0x0303, content, MaxPlaintext); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}
