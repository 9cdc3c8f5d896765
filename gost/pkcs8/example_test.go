package pkcs8_test

import (
	"encoding/pem"
	"fmt"

	"propusk/gost/pkcs8"
)

// A key as openssl genpkey with gost-engine writes it.
func ExampleParse() {
	block, _ := pem.Decode([]byte(`-----BEGIN PRIVATE KEY-----
MD4CAQAwFwYIKoUDBwEBAQEwCwYJKoUDBwECAQEBBCBpX5ftfLZFfTGetj9QDJeA
ZqDoBzLKRZ26ZoAxv81gMg==
-----END PRIVATE KEY-----
`))
	key, algorithm, err := pkcs8.Parse(block.Bytes)
	if err != nil {
		panic(err)
	}
	fmt.Println(key.PublicKey().Curve().Name())
	fmt.Println(algorithm.ParamSet)
	// Output:
	// tc26-256-A
	// 1.2.643.7.1.2.1.1.1
}
