package der

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	object := []byte{0x30, 3, 2, 1, 5}
	text := base64.StdEncoding.EncodeToString(object) // MAMCAQU=
	block := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: object}))
	other := string(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: object}))
	for _, c := range []struct {
		name, in string
		labels   []string
		want     error
	}{
		{"DER", string(object), nil, nil},
		{"base64", text, nil, nil},
		{"base64 with blanks", " MAMC\r\n\tAQU=\n", nil, nil},
		{"base64 with a byte order mark", "\xEF\xBB\xBF" + text, nil, nil},
		{"PEM", block, []string{"CERTIFICATE"}, nil},
		{"PEM, any label", block, nil, nil},
		{"PEM, second label", block, []string{"CMS", "CERTIFICATE"}, nil},
		{"PEM, line ends of Windows", strings.ReplaceAll(block, "\n", "\r\n"), nil, nil},
		{"PEM on one line", strings.ReplaceAll(block, "\n", ""), nil, nil},
		{"PEM with a byte order mark and text", "\xEF\xBB\xBFSubject: x\n" + block + "\n\n", nil, nil},
		{"PEM after a block with another label", other + block, []string{"CERTIFICATE"}, nil},
		{"nothing", "", nil, ErrFormat},
		{"blanks", " \n", nil, ErrFormat},
		{"prose", "hello, world", nil, ErrFormat},
		{"base64 of something else", "AAAA", nil, ErrFormat},
		{"base64 without padding", "MAMCAQU", nil, ErrFormat},
		{"base64 with padding bits", "MAMCAQV=", nil, ErrFormat},
		{"base64 of the URL alphabet", "MAMC-_U=", nil, ErrFormat},
		{"wrong label", block, []string{"CMS"}, ErrLabel},
		{"two blocks", block + block, nil, ErrSeveral},
		{"no end", strings.Split(block, "-----END")[0], nil, ErrPEM},
		{"another end", strings.Replace(block, "END CERTIFICATE", "END CMS", 1), nil, ErrPEM},
		{"torn begin", "-----BEGIN CERT", nil, ErrPEM},
		{"begin over two lines", "-----BEGIN A\nB-----\nMAMCAQU=\n-----END A\nB-----", nil, ErrPEM},
		{"headers", strings.Replace(block, "\n", "\nProc-Type: 4,ENCRYPTED\n\n", 1), nil, ErrBase64},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Decode([]byte(c.in), c.labels...)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if err == nil && !bytes.Equal(got, object) {
				t.Errorf("%x, want %x", got, object)
			}
			if err != nil && got != nil {
				t.Error("refused, yet something was returned")
			}
		})
	}
}

func TestDecodeAll(t *testing.T) {
	object := []byte{0x30, 3, 2, 1, 5}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: object})
	all, err := DecodeAll(bytes.Repeat(block, 3), "CERTIFICATE")
	if err != nil || len(all) != 3 {
		t.Fatalf("%d objects, %v, want 3", len(all), err)
	}
	if _, err := DecodeAll(make([]byte, MaxEncoded+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	tiny := []byte("-----BEGIN A----------END A-----")
	if _, err := DecodeAll(bytes.Repeat(tiny, MaxObjects+1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}

// FuzzDecode checks that what was decoded decodes to the same when written as
// PEM by the standard library.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("MAMCAQU="))
	f.Add([]byte("-----BEGIN CMS-----\nMAMCAQU=\n-----END CMS-----\n"))
	f.Add([]byte{0x30, 3, 2, 1, 5})
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Decode(in)
		if err != nil {
			if got != nil {
				t.Fatal("refused, yet something was returned")
			}
			return
		}
		again, err := Decode(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: got}), "CMS")
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("%x decoded as %x, then as %x, %v", in, got, again, err)
		}
	})
}
