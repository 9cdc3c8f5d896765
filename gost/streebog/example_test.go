package streebog_test

import (
	"fmt"
	"io"
	"strings"

	"propusk/gost/streebog"
)

func ExampleSum256() {
	fmt.Printf("%x\n", streebog.Sum256([]byte("message")))
	// Output:
	// bdb6bc0376ce128dacad21c156ebb0801fabf841d80a7d29a2355d016a9d29a0
}

func ExampleNew512() {
	h := streebog.New512()
	if _, err := io.Copy(h, strings.NewReader("message")); err != nil {
		panic(err)
	}
	fmt.Printf("%x\n", h.Sum(nil))
	// Output:
	// b9e4e9fe3b8a4e1a1c93816cae51f6956edcf9cc8aa1cbd14b9aca159f947b8aa764010dca8dbf2469a4c832803a44942394a417ba7cf12c4ac3e6c28fa8cfc9
}
