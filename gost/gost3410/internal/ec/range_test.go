package ec

import (
	"bytes"
	"testing"

	"propusk/gost/gost3410/internal/field"
)

// TestCoordinatesBelowP: both coordinates must be below p, also where no point is known
// of which one could be written in two ways.
func TestCoordinatesBelowP(t *testing.T) {
	for name, c := range map[string]struct {
		size int
		read func(xy []byte) bool
	}{
		"CryptoPro-A": {32, func(xy []byte) bool { return new(cryptoProAAffine).set(xy) }},
		"CryptoPro-B": {32, func(xy []byte) bool { return new(cryptoProBAffine).set(xy) }},
		"CryptoPro-C": {32, func(xy []byte) bool { return new(cryptoProCAffine).set(xy) }},
		"tc26-256-A":  {32, func(xy []byte) bool { return tc26256ACoordinates(new(field.P256A), new(field.P256A), xy) }},
		"tc26-512-A":  {64, func(xy []byte) bool { return new(tc26512AAffine).set(xy) }},
		"tc26-512-B":  {64, func(xy []byte) bool { return new(tc26512BAffine).set(xy) }},
		"tc26-512-C":  {64, func(xy []byte) bool { return tc26512CCoordinates(new(field.P512A), new(field.P512A), xy) }},
	} {
		small, great := make([]byte, c.size), bytes.Repeat([]byte{0xff}, c.size) // the greatest is above every p
		for _, xy := range [][2][]byte{{small, great}, {great, small}, {great, great}} {
			if c.read(append(bytes.Clone(xy[0]), xy[1]...)) {
				t.Errorf("%s: %x is read", name, xy)
			}
		}
		if !c.read(append(bytes.Clone(small), small...)) || c.read(small) {
			t.Errorf("%s: zeros are not read, or half of them are", name)
		}
	}
}
