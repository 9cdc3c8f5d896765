package streebog

import (
	"fmt"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	best := func(f func()) float64 {
		b := 1e18
		for range 4000 {
			s := time.Now()
			f()
			if d := float64(time.Since(s).Nanoseconds()); d < b {
				b = d
			}
		}
		return b
	}
	long := make([]byte, 4096)
	h := New256()
	sum := make([]byte, 0, 64)
	z := best(func() {})
	e := best(func() { h.Reset(); h.Write(long[:64]); sum = h.Sum(sum[:0]) }) - z
	o := best(func() { Sum256(long[:64]) }) - z
	l := best(func() { h.Write(long) }) - z
	m := best(func() { Sums256([][]byte{long, long, long, long}) }) - z
	m8 := best(func() { Sums256([][]byte{long, long, long, long, long, long, long, long}) }) - z
	m2 := best(func() { Sums256([][]byte{long, long}) }) - z
	fmt.Printf("64B %.0f ns oneshot %.0f; block %.1f ns; 4x: %.1f ns/block %.0f MB/s; 8x %.0f 2x %.0f MB/s\n", e, o, l/64, m/4/67, 16384/m*1000, 32768/m8*1000, 8192/m2*1000)
}
