package spki_test

import (
	"bytes"
	"fmt"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
)

func Example() {
	key, err := gost3410.GenerateKey(gost3410.TC26512A(), nil)
	if err != nil {
		panic(err)
	}
	der, err := spki.Marshal(spki.DefaultAlgorithm(gost3410.TC26512A()), key.PublicKey())
	if err != nil {
		panic(err)
	}
	info, err := spki.Parse(der)
	if err != nil {
		panic(err)
	}
	fmt.Println(info.Algorithm.Algorithm, info.Algorithm.ParamSet)
	fmt.Println(info.Key.Curve().Name(), bytes.Equal(info.Key.Bytes(), key.PublicKey().Bytes()))
	// Output:
	// 1.2.643.7.1.1.1.2 1.2.643.7.1.2.1.2.1
	// tc26-512-A true
}
