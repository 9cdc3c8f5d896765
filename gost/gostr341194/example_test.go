package gostr341194_test

import (
	"fmt"

	"propusk/gost/gostr341194"
)

func ExampleNew() {
	h := gostr341194.New()
	h.Write([]byte("message"))
	fmt.Printf("%x\n", h.Sum(nil))
	// Output:
	// 4b582bce7d059e1c7a33f05761b5685de1e00bee5338da3931f50e8763994d33
}
