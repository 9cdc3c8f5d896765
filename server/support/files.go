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
	// maxAllPoints is how many points all pictures of a request may have, and maxScans how
	// many scans one in JPEG: programs write about ten. A file of 5 MB can have a hundred
	// thousand, which take hours.
	maxAllPoints, maxScans = 100_000_000, 32
	// maxKeyText is where keys are looked for that are written as text, in bytes.
	maxKeyText = 64 << 10
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

// picturing lets one picture be drawn at a time: each takes up to 300 MB.
var picturing sync.Mutex

// Attachments looks at the files of a request and returns what is kept of them (SP-03). A
// picture is written anew, so that nothing goes along with it, neither where it was taken nor
// a file behind its end; a certificate is kept as DER. The reason of an error is one of the
// codes "ticket-file…"; nothing is kept then. Names are not in the error.
func Attachments(files []File) ([]account.Attachment, error) {
	all, err := look(files)
	if err != nil {
		return nil, err
	}
	return keep(all)
}

// sight is a file that may be kept.
type sight struct {
	File
	picture string // "png" or "jpeg"; empty of a certificate
	cert    []byte // DER
}

// look says what the files are, and refuses what is not taken, without drawing a picture:
// that is work.
func look(files []File) ([]sight, error) {
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
	var all []sight
	left := maxAllPoints
	for _, f := range files {
		one, points, err := see(f)
		if err != nil {
			return nil, err
		}
		if left -= points; left < 0 {
			return nil, reason.New(reason.TicketFileLarge, nil)
		}
		all = append(all, one)
	}
	return all, nil
}

// keep returns what is kept of files that were looked at.
func keep(all []sight) ([]account.Attachment, error) {
	var kept []account.Attachment
	for _, f := range all {
		a := account.Attachment{Number: len(kept) + 1, Name: person.NewPrivate(shortName(f.Name)), Type: "application/pkix-cert", Data: f.cert}
		if f.picture != "" {
			var err error
			a.Type = "image/" + f.picture
			if a.Data, err = redraw(f.Data); err != nil {
				return nil, err
			}
		}
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
// there is the text of one in it: under a label anywhere, in another form near the beginning.
func secret(f File) bool {
	return keyName(f.Name) || filekind.Secret(f.Data) != "" || bytes.Contains(f.Data, []byte("PRIVATE KEY-----")) ||
		filekind.SecretText(f.Data[:min(len(f.Data), maxKeyText)])
}

// see says what a file is, and how many points it has if it is a picture.
func see(f File) (s sight, points int, err error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(f.Data))
	switch {
	case err == nil && format != "png" && format != "jpeg":
		return s, 0, reason.New(reason.TicketFileKind, nil)
	case err == nil && (config.Width <= 0 || config.Height <= 0 || config.Width > maxPoints/config.Height):
		return s, 0, reason.New(reason.TicketFileLarge, nil)
	case err == nil && format == "jpeg" && scans(f.Data) > maxScans:
		return s, 0, reason.New(reason.TicketFileDamaged, errors.New("support: a picture of too many scans"))
	case err == nil:
		return sight{File: f, picture: format}, config.Width * config.Height, nil
	case pictured(f.Data):
		return s, 0, reason.New(reason.TicketFileDamaged, err)
	}
	if cert, err := gostx509.ParseAny(f.Data); err == nil {
		return sight{File: f, cert: cert.Raw}, 0, nil
	}
	if filekind.Of(f.Data) == reason.FileIsCertificate {
		return s, 0, reason.New(reason.TicketFileDamaged, nil)
	}
	return s, 0, reason.New(reason.TicketFileKind, nil)
}

// scans counts the scans of a JPEG (ITU-T T.81, B.1.1). Each goes over all its points, and
// takes a few bytes if it says nothing.
func scans(data []byte) int {
	n := 0
	for len(data) >= 4 {
		if data[0] != 0xff || data[1] == 0xff { // what is coded, or filling
			data = data[1:]
			continue
		}
		marker := data[1]
		if data = data[2:]; marker <= 0x01 || marker >= 0xd0 && marker <= 0xd8 { // stuffed zeros, restarts, the beginning: nothing follows
			continue
		}
		if marker == 0xd9 { // the end
			return n
		}
		if marker == 0xda {
			n++
		}
		length := int(data[0])<<8 | int(data[1])
		data = data[min(length, len(data)):]
	}
	return n
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
