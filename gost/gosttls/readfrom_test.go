package gosttls

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"propusk/gost/gosttls/internal/record"
)

// What is read goes out at once, in any portions, and errors of both ends come back
// with the count.
func TestReadFrom(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	broken := errors.New("broken disk")
	for name, test := range map[string]struct {
		r    io.Reader
		want []byte
		err  error
	}{
		"whole":       {bytes.NewReader(content), content, nil},
		"by halves":   {iotest.HalfReader(bytes.NewReader(content)), content, nil},
		"data at EOF": {iotest.DataErrReader(bytes.NewReader(content)), content, nil},
		"nothing":     {bytes.NewReader(nil), nil, nil},
		"error":       {io.MultiReader(bytes.NewReader(content[:100]), iotest.ErrReader(broken)), content[:100], broken},
	} {
		t.Run(name, func(t *testing.T) {
			clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
			client, server := connected(t, clientConfig, serverConfig)
			received := make(chan []byte)
			go func() {
				got, _ := io.ReadAll(client) // what came is compared
				received <- got
			}()
			n, err := server.ReadFrom(test.r)
			if n != int64(len(test.want)) || !errors.Is(err, test.err) {
				t.Errorf("%d bytes, %v; want %d, %v", n, err, len(test.want), test.err)
			}
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			if got := <-received; !bytes.Equal(got, test.want) {
				t.Errorf("received %d bytes, want %d", len(got), len(test.want))
			}
		})
	}
}

func TestReadFromClosed(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
	_, server := connected(t, clientConfig, serverConfig)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := server.ReadFrom(bytes.NewReader(make([]byte, record.MaxPlaintext))); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
