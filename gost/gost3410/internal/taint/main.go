//go:build amd64

// Command taint runs what gost3410 does with secrets under valgrind, which is told
// that the secrets are undefined memory: it then reports every branch and every
// address that depends on one, whatever the processor makes of it. This is the
// "ctgrind" of Adam Langley. The test of this package runs it and reads the report;
// it needs the build tag valgrind, which makes the Go runtime tell valgrind about
// its stacks.
package main

import (
	"fmt"
	"os"
	"unsafe"

	"propusk/gost/gost3410"
	"propusk/gost/gost3410/internal/adx"
	"propusk/gost/gost3410/internal/ec"
	"propusk/gost/gost3410/internal/scalar"
)

// request is the client request of valgrind; args[0] says what is wanted. It returns
// 0 where there is no valgrind.
func request(args *[6]uint64) uint64

// Requests of valgrind.h and memcheck.h.
const (
	runningOnValgrind = 0x1001
	makeUndefined     = 'M'<<24 | 'C'<<16 | 1
	makeDefined       = 'M'<<24 | 'C'<<16 | 2
)

func secret[T any](p *T) {
	request(&[6]uint64{makeUndefined, uint64(uintptr(unsafe.Pointer(p))), uint64(unsafe.Sizeof(*p))})
}

func public[T any](p *T) {
	request(&[6]uint64{makeDefined, uint64(uintptr(unsafe.Pointer(p))), uint64(unsafe.Sizeof(*p))})
}

func secretBytes(b []byte) {
	request(&[6]uint64{makeUndefined, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint64(len(b))})
}

func publicBytes(b []byte) {
	request(&[6]uint64{makeDefined, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint64(len(b))})
}

// group is what takes secret scalars.
type group interface {
	BaseMult(k scalar.Nat) ([]byte, bool)
	Mult(k scalar.Nat, xy []byte) ([]byte, bool)
}

func main() {
	if request(&[6]uint64{runningOnValgrind}) == 0 {
		fmt.Fprintln(os.Stderr, "taint: this program is for valgrind")
		os.Exit(1)
	}
	// Valgrind can do MULX, ADCX and ADOX, but its processor does not say so.
	adx.Enabled = len(os.Args) == 2 && os.Args[1] == "adx"
	leak()
	for _, c := range []struct {
		curve *gost3410.Curve
		group group
		order *scalar.Modulus
	}{
		{gost3410.TC26256A(), ec.TC26256A{}, &scalar.TC26256A},
		{gost3410.CryptoProA(), ec.CryptoProA{}, &scalar.CryptoProA},
		{gost3410.CryptoProB(), ec.CryptoProB{}, &scalar.CryptoProB},
		{gost3410.CryptoProC(), ec.CryptoProC{}, &scalar.CryptoProC},
		{gost3410.TC26512A(), ec.TC26512A{}, &scalar.TC26512A},
		{gost3410.TC26512B(), ec.TC26512B{}, &scalar.TC26512B},
		{gost3410.TC26512C(), ec.TC26512C{}, &scalar.TC26512C},
	} {
		if err := arithmetic(c.group, c.order); err != nil {
			fmt.Fprintf(os.Stderr, "taint: %s: %v\n", c.curve, err)
			os.Exit(1)
		}
		if err := keys(c.curve); err != nil {
			fmt.Fprintf(os.Stderr, "taint: %s: %v\n", c.curve, err)
			os.Exit(1)
		}
	}
	fmt.Println("done")
}

// leak does what must be reported.
//
//go:noinline
func leak() {
	k := uint64(len(os.Args))
	secret(&k)
	if k == 77 {
		fmt.Println("77")
	}
}

// arithmetic multiplies points by secret scalars.
func arithmetic(g group, q *scalar.Modulus) error {
	k := scalar.Nat{0x123456789abcdef, 3, 1 << 63}
	secret(&k)
	xy, ok := g.BaseMult(k)
	publicBytes(xy)
	if public(&ok); !ok {
		return fmt.Errorf("infinity")
	}
	other, ok := g.Mult(q.Mul(q.Reduce(k), q.Add(k, k)), xy)
	publicBytes(other)
	if public(&ok); !ok {
		return fmt.Errorf("infinity")
	}
	return nil
}

// keys uses a secret key for everything.
func keys(c *gost3410.Curve) error {
	raw := make([]byte, c.Size())
	for i := range c.Size() - 1 {
		raw[i] = byte(i + 1)
	}
	secretBytes(raw)
	k, err := gost3410.NewPrivateKey(c, raw)
	if err != nil {
		return err
	}
	xy := k.PublicKey().Bytes()
	publicBytes(xy)
	peer, err := gost3410.NewPublicKey(c, xy)
	if err != nil {
		return err
	}
	if _, err := k.SharedPoint(peer, []byte{1, 2, 3}); err != nil {
		return err
	}
	digest := make([]byte, c.Size())
	sig, err := k.Sign(nil, digest, nil)
	if err != nil {
		return err
	}
	publicBytes(sig)
	if !peer.Verify(digest, sig) {
		return fmt.Errorf("the signature is wrong")
	}
	return nil
}
