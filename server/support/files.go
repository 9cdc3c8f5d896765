package support

import (
	"archive/zip"
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path"
	"strings"
	"sync"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/filekind"
)

// Limits of files.
const (
	// MaxFile is how long a file may be, in bytes.
	MaxFile = 5 << 20
	// MaxUpload is how long all files may be together with the form, in bytes.
	MaxUpload = 12 << 20
	// maxFiles is how many there may be, those in archives included; and maxUnpacked how long
	// they are together, in bytes, once archives are unpacked. An archive of a few kilobytes
	// can hold gigabytes.
	maxFiles, maxUnpacked = 10, 20 << 20
	// maxPoints is how many points a picture may have: a screen of 5K has 15 million. A
	// picture of a few kilobytes can have billions, of four bytes each.
	maxPoints = 20_000_000
	// maxName is how long the name of a file is kept, in characters.
	maxName = 100
	// quality of pictures in JPEG, which are written anew.
	quality = 90
)

// File is a file as the browser sent it.
type File struct {
	Name string
	Data []byte
}

// picturing lets one picture be drawn at a time: each takes up to 80 MB.
var picturing sync.Mutex

// Attachments looks at the files of a request and returns what is kept of them (SP-03). A
// picture is written anew, so that nothing goes along with it, neither where it was taken nor
// a file behind its end; a certificate is kept as DER. The reason of an error is one of the
// codes "ticket-file…"; nothing is kept then. Names are not in the error.
func Attachments(files []File) ([]account.Attachment, error) {
	files, err := unpack(files)
	if err != nil {
		return nil, err
	}
	// Keys first: a person must learn of one, whatever else is wrong.
	for _, f := range files {
		if secret(f) {
			return nil, reason.New(reason.TicketPrivateKey, nil)
		}
	}
	var kept []account.Attachment
	for _, f := range files {
		a, err := attachment(f)
		if err != nil {
			return nil, err
		}
		a.Number = len(kept) + 1
		kept = append(kept, a)
	}
	return kept, nil
}

// unpack replaces archives by the files in them. An archive in an archive stays as it is, and
// is refused by its kind.
func unpack(files []File) ([]File, error) {
	var all []File
	left := int64(maxUnpacked)
	for _, f := range files {
		if len(f.Data) > MaxFile {
			return nil, reason.New(reason.TicketFileLarge, nil)
		}
		inner := []File{f}
		if bytes.HasPrefix(f.Data, []byte("PK\x03\x04")) || bytes.HasPrefix(f.Data, []byte("PK\x05\x06")) {
			var err error
			if inner, err = unzip(f.Data, &left); err != nil {
				return nil, err
			}
		}
		if all = append(all, inner...); len(all) > maxFiles {
			return nil, reason.New(reason.TicketFilesMany, nil)
		}
	}
	return all, nil
}

// unzip returns the files of an archive, which take from what is left of the limit.
func unzip(data []byte, left *int64) ([]File, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, reason.New(reason.TicketFileDamaged, err)
	}
	var all []File
	for _, entry := range z.File {
		if entry.FileInfo().IsDir() {
			continue
		}
		if len(all) == maxFiles {
			return nil, reason.New(reason.TicketFilesMany, nil)
		}
		if keyName(entry.Name) { // whether it can be read or not
			return nil, reason.New(reason.TicketPrivateKey, nil)
		}
		r, err := entry.Open()
		if err != nil {
			return nil, reason.New(reason.TicketFileDamaged, err)
		}
		content, err := io.ReadAll(io.LimitReader(r, min(*left, MaxFile)+1))
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, reason.New(reason.TicketFileDamaged, err)
		}
		if *left -= int64(len(content)); *left < 0 || len(content) > MaxFile {
			return nil, reason.New(reason.TicketFileLarge, nil)
		}
		all = append(all, File{entry.Name, content})
	}
	return all, nil
}

// keyName reports whether a file is called as those with keys are: the files of a container of
// CryptoPro CSP, and PKCS #12.
func keyName(name string) bool {
	name = strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))
	switch path.Ext(name) {
	case ".key", ".pfx", ".p12", ".pvk":
		return true
	}
	return false
}

// secret reports whether a file holds a private key: by its name, by what it is, or because
// there is the text of one anywhere in it.
func secret(f File) bool {
	return keyName(f.Name) || filekind.Secret(f.Data) != "" || bytes.Contains(f.Data, []byte("PRIVATE KEY-----"))
}

// attachment returns what is kept of a file.
func attachment(f File) (account.Attachment, error) {
	a := account.Attachment{Name: person.NewPrivate(shortName(f.Name))}
	config, format, err := image.DecodeConfig(bytes.NewReader(f.Data))
	switch {
	case err == nil && format != "png" && format != "jpeg":
		return a, reason.New(reason.TicketFileKind, nil)
	case err == nil && (config.Width <= 0 || config.Height <= 0 || config.Width > maxPoints/config.Height):
		return a, reason.New(reason.TicketFileLarge, nil)
	case err == nil:
		a.Type = "image/" + format
		a.Data, err = redraw(f.Data)
		return a, err
	case pictured(f.Data):
		return a, reason.New(reason.TicketFileDamaged, err)
	}
	if cert, err := gostx509.ParseAny(f.Data); err == nil {
		a.Type, a.Data = "application/pkix-cert", cert.Raw
		return a, nil
	}
	if filekind.Of(f.Data) == reason.FileIsCertificate {
		return a, reason.New(reason.TicketFileDamaged, nil)
	}
	return a, reason.New(reason.TicketFileKind, nil)
}

// pictured reports whether a file begins as one of the pictures that are taken.
func pictured(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\x89PNG\r\n")) || bytes.HasPrefix(data, []byte("\xff\xd8\xff"))
}

// redraw writes a picture anew.
func redraw(data []byte) ([]byte, error) {
	picturing.Lock()
	defer picturing.Unlock()
	picture, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, reason.New(reason.TicketFileDamaged, err)
	}
	var out bytes.Buffer
	if format == "png" {
		err = png.Encode(&out, picture)
	} else {
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		return nil, reason.New(reason.TicketFileDamaged, err)
	}
	if out.Len() > 4*MaxFile { // noise that was packed better
		return nil, reason.New(reason.TicketFileLarge, nil)
	}
	return out.Bytes(), nil
}

// shortName returns the end of the name of a file, without directories and what is not
// printed.
func shortName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	clean := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '"' || (r >= 0x200e && r <= 0x206f) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	return string(clean[max(0, len(clean)-maxName):])
}
