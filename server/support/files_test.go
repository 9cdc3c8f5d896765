package support

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/server/account"
)

func picture(t testing.TB, format string, width, height int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	m.Set(1, 1, color.White)
	var b bytes.Buffer
	var err error
	if format == "png" {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archive(t testing.TB, files ...File) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// privateKey returns PKCS#8.
func privateKey(t testing.TB) []byte {
	t.Helper()
	curve := gost3410.TC26256A()
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pkcs8.Marshal(key, spki.DefaultAlgorithm(curve))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// certificateOf returns the certificate of a person of a demo country.
func certificateOf(t testing.TB) []byte {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.TC26256A(), nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := gostx509.Create(nil, gostx509.Template{
		Serial: []byte{1}, Subject: gostx509.Name{}, NotBefore: time.Unix(1_700_000_000, 0), NotAfter: time.Unix(1_800_000_000, 0),
	}, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func of(a []account.Attachment, err error) string {
	if err != nil {
		return string(reason.Of(err))
	}
	var types []string
	for _, one := range a {
		types = append(types, one.Type)
	}
	return strings.Join(types, " ")
}

// TestAttachments: pictures and certificates are taken, keys in whatever wrapping are not, and
// neither is anything else.
func TestAttachments(t *testing.T) {
	key := privateKey(t)
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	shot, cert := picture(t, "png", 40, 30), certificateOf(t)
	huge := make([]byte, MaxFile+1)
	for name, c := range map[string]struct {
		files []File
		want  string
	}{
		"nothing":                {nil, ""},
		"PNG":                    {[]File{{"Снимок.png", shot}}, "image/png"},
		"JPEG":                   {[]File{{"a.jpg", picture(t, "jpeg", 40, 30)}}, "image/jpeg"},
		"certificate":            {[]File{{"ivan.cer", cert}}, "application/pkix-cert"},
		"archive":                {[]File{{"a.zip", archive(t, File{"x/", nil}, File{"x/a.png", shot}, File{"b.cer", cert})}}, "image/png application/pkix-cert"},
		"PKCS#8":                 {[]File{{"a.der", key}}, string(reason.TicketPrivateKey)},
		"PEM":                    {[]File{{"a.pem", keyPEM}}, string(reason.TicketPrivateKey)},
		"certificate and key":    {[]File{{"a.pem", append(bytes.Clone(cert), keyPEM...)}}, string(reason.TicketPrivateKey)},
		"key behind a picture":   {[]File{{"a.png", append(bytes.Clone(shot), keyPEM...)}}, string(reason.TicketPrivateKey)},
		"key in an archive":      {[]File{{"a.zip", archive(t, File{"a.png", shot}, File{"deep/b.txt", keyPEM})}}, string(reason.TicketPrivateKey)},
		"container by its names": {[]File{{"a.zip", archive(t, File{`C:\keys\le-1.000\NAME.KEY`, []byte("0")})}}, string(reason.TicketPrivateKey)},
		"called a container":     {[]File{{"Primary.KEY", []byte("0")}}, string(reason.TicketPrivateKey)},
		"called a PFX":           {[]File{{"a.PFX", []byte("0")}}, string(reason.TicketPrivateKey)},
		"the key is the second":  {[]File{{"a.txt", []byte("hello")}, {"b", key}}, string(reason.TicketPrivateKey)},
		"text":                   {[]File{{"a.txt", []byte("hello")}}, string(reason.TicketFileKind)},
		"HTML as a picture":      {[]File{{"a.png", []byte("<html><script>1</script>")}}, string(reason.TicketFileKind)},
		"SVG":                    {[]File{{"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}}, string(reason.TicketFileKind)},
		"archive in an archive":  {[]File{{"a.zip", archive(t, File{"b.zip", archive(t, File{"c.png", shot})})}}, string(reason.TicketFileKind)},
		"half a picture":         {[]File{{"a.png", shot[:len(shot)-20]}}, string(reason.TicketFileDamaged)},
		"start of a picture":     {[]File{{"a.jpg", []byte("\xff\xd8\xff\xe0\x00")}}, string(reason.TicketFileDamaged)},
		"half a certificate":     {[]File{{"a.cer", []byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")}}, string(reason.TicketFileDamaged)},
		"broken archive":         {[]File{{"a.zip", []byte("PK\x03\x04 broken")}}, string(reason.TicketFileDamaged)},
		"too long":               {[]File{{"a.png", huge}}, string(reason.TicketFileLarge)},
		"too many points":        {[]File{{"a.png", points(t, 1<<15, 1<<15)}}, string(reason.TicketFileLarge)},
		"bomb":                   {[]File{{"a.zip", archive(t, File{"a", huge[1:]}, File{"b", huge[1:]}, File{"c", huge[1:]}, File{"d", huge[1:]}, File{"e", huge[1:]})}}, string(reason.TicketFileLarge)},
		"one long one in it":     {[]File{{"a.zip", archive(t, File{"a.png", huge})}}, string(reason.TicketFileLarge)},
		"too many in it":         {[]File{{"a.zip", archive(t, slices11(shot)...)}}, string(reason.TicketFilesMany)},
		"too many":               {slices11(shot), string(reason.TicketFilesMany)},
		"key in UTF-16":          {[]File{{"a.txt", utf16of(string(keyPEM))}}, string(reason.TicketPrivateKey)},
		"key of PuTTY":           {[]File{{"a.txt", []byte("PuTTY-User-Key-File-3: ssh-ed25519\r\n")}}, string(reason.TicketPrivateKey)},
		"many scans":             {[]File{{"a.jpg", scanned(4000, 5000, maxScans+1)}}, string(reason.TicketFileDamaged)},
		"few scans":              {[]File{{"a.jpg", scanned(40, 50, maxScans)}}, "image/jpeg"},
		"scans and what follows": {[]File{{"a.jpg", append(scanned(40, 50, 2), bytes.Repeat([]byte("\xff\xda\x00\x02"), 100)...)}}, "image/jpeg"},
		"too many points in all": {[]File{{"1", points(t, 5000, 4000)}, {"2", points(t, 5000, 4000)}, {"3", points(t, 5000, 4000)}, {"4", points(t, 5000, 4000)}, {"5", points(t, 5000, 4000)}, {"6", shot}}, string(reason.TicketFileLarge)},
	} {
		if got := of(Attachments(c.files)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// utf16of is a text as the editor of Windows saves it.
func utf16of(s string) []byte {
	out := []byte("\xff\xfe")
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return out
}

// scanned is a progressive JPEG of so many scans that say nothing: each is a few bytes, and
// goes over all points.
func scanned(width, height, n int) []byte {
	b := append([]byte("\xff\xd8\xff\xdb\x00\x43\x00"), bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, 11, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 1, 1, 0x11, 0)
	// One code of one bit: an end that holds for as many blocks as 14 bits say, and 16384.
	b = append(b, 0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0)
	runs := (width+7)/8*((height+7)/8)/16384 + 1
	for range n {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0x10)
		b = append(b, make([]byte, (runs*15+7)/8)...)
	}
	return append(b, 0xff, 0xd9)
}

func slices11(data []byte) []File {
	var all []File
	for range maxFiles + 1 {
		all = append(all, File{"a.png", data})
	}
	return all
}

// points returns a small PNG that says that it is large.
func points(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, image.NewGray(image.Rect(0, 0, width, 1))); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	copy(data[20:24], []byte{byte(height >> 24), byte(height >> 16), byte(height >> 8), byte(height)})
	// The sum of the header is another one now.
	sum := crc32.ChecksumIEEE(data[12:29])
	copy(data[29:33], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return data
}

// TestRealContainers: keys as real programs write them.
func TestRealContainers(t *testing.T) {
	dir := shared(t)
	patterns := []string{"data/cryptopro_containers/*/*.key", "data/pkcs12/*.p12", "data/pkcs12/*.pfx", "data/keys/*pkcs8*.der"}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			renamed := "photo.png" // by what it is, not by its name
			if base := filepath.Base(file); base == "name.key" {
				renamed = base // holds a name and no key
			}
			for name, sent := range map[string]File{"alone": {renamed, data}, "in an archive": {"a.zip", archive(t, File{renamed, data})}} {
				if _, err := Attachments([]File{sent}); !errors.Is(err, reason.TicketPrivateKey) {
					t.Errorf("%s, %s: %v", file, name, err)
				}
			}
		}
	}
}

// TestPicturesAreWrittenAnew: nothing goes along with a picture.
func TestPicturesAreWrittenAnew(t *testing.T) {
	for _, format := range []string{"png", "jpeg"} {
		data := append(picture(t, format, 30, 20), "Москва, 55.75 37.61"...)
		got, err := Attachments([]File{{`C:\Users\ivan\Снимок` + "\r\n" + `.png`, data}})
		if err != nil || len(got) != 1 {
			t.Fatal(err)
		}
		if bytes.Contains(got[0].Data, []byte("55.75")) || got[0].Name.Reveal() != "Снимок.png" || got[0].Number != 1 {
			t.Errorf("%s: %s, %d", format, got[0].Name.Reveal(), len(got[0].Data))
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(got[0].Data)); err != nil || c.Width != 30 || c.Height != 20 {
			t.Errorf("%s: %+v, %v", format, c, err)
		}
	}
}

func FuzzAttachments(f *testing.F) {
	key := privateKey(f)
	f.Add("a.png", picture(f, "png", 5, 5))
	f.Add("a.zip", archive(f, File{"b.der", key}))
	f.Add("a.der", key)
	f.Add("a.key", []byte("-----BEGIN PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		kept, err := Attachments([]File{{name, data}})
		if err != nil {
			if kept != nil {
				t.Fatal("refused, and kept")
			}
			return
		}
		for _, a := range kept {
			if secret(File{a.Name.Reveal(), a.Data}) {
				t.Fatalf("a key is kept as %s", a.Type)
			}
		}
	})
}

// shared returns the directory of shared data, or skips the test.
func shared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("PROPUSK_SHARED"); dir != "" {
		return dir
	}
	for dir, err := os.Getwd(); err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "DESIGN.md")); err == nil {
			return filepath.Join(dir, "shared")
		}
	}
	t.Skip("no directory of shared data")
	return ""
}
