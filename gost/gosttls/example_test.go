package gosttls_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"

	"propusk/gost/gosttls"
	"propusk/gost/pkcs8"
)

// A server and a client in one program. A real client judges the certificate in
// VerifyPeer instead of the setting that begins with Insecure.
func Example() {
	certificate, err := load("testdata/example.pem")
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() {
		raw, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		conn := gosttls.Server(raw, &gosttls.Config{Certificates: []gosttls.Certificate{certificate}})
		_, err = io.WriteString(conn, "welcome")
		if closed := conn.Close(); err == nil {
			err = closed
		}
		served <- err
	}()

	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	conn := gosttls.Client(raw, &gosttls.Config{ServerName: "gost.example", InsecureSkipVerify: true})
	text, err := io.ReadAll(conn)
	fmt.Printf("%s %v\n", text, err)
	fmt.Printf("%#x\n", conn.ConnectionState().CipherSuite)
	fmt.Println(<-served, conn.Close(), listener.Close())
	// Output:
	// welcome <nil>
	// 0xc105
	// <nil> <nil> <nil>
}

// load reads a certificate and its key from one PEM file.
func load(name string) (gosttls.Certificate, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return gosttls.Certificate{}, err
	}
	certificate, rest := pem.Decode(data)
	private, _ := pem.Decode(rest)
	key, _, err := pkcs8.Parse(private.Bytes)
	if err != nil {
		return gosttls.Certificate{}, err
	}
	return gosttls.NewCertificate([][]byte{certificate.Bytes}, key)
}
