package soft

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
)

// Limits of files. A token is read again and again, also one that somebody else
// wrote: without them a file of gigabytes would be read into memory.
const (
	maxFile    = 128 << 10 // bytes of a file
	maxObjects = 1024      // objects of a token
	maxLabel   = 255       // bytes of the label of an object
	maxID      = 255       // bytes of the identifier of an object

	// MaxCertificate is the longest certificate that a token keeps, in bytes.
	MaxCertificate = 64 << 10
	// MaxData is the longest data that a token keeps, in bytes.
	MaxData = 64 << 10
	// MaxTokenLabel is the longest label of a token, in bytes: CK_TOKEN_INFO has
	// room for as many.
	MaxTokenLabel = 32
)

// The names in the directory of a token.
const (
	tokenFile = "token"
	lockName  = "lock"
	objectExt = ".obj"
)

const (
	formatVersion = 1
	serialSize    = 8 // bytes of a serial number
)

// header is the file "token":
//
//	Token ::= SEQUENCE {
//	  version INTEGER (1), serial OCTET STRING (SIZE (8)), label UTF8String,
//	  securityOfficer Secret, user [0] EXPLICIT Secret OPTIONAL }
//	Secret ::= SEQUENCE {
//	  tries INTEGER (0..10), mustChange BOOLEAN,
//	  salt OCTET STRING (SIZE (16)), sealed OCTET STRING (SIZE (64)) }
type header struct {
	serial  [serialSize]byte
	label   string
	officer secret
	user    *secret
}

func (h *header) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(formatVersion)
		b.AddASN1OctetString(h.serial[:])
		addUTF8(b, h.label)
		h.officer.add(b)
		if h.user != nil {
			b.AddASN1(tag.Tag(0).ContextSpecific().Constructed(), h.user.add)
		}
	})
	return b.Bytes()
}

func (s *secret) add(b *cryptobyte.Builder) {
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(s.tries)
		b.AddASN1Boolean(s.mustChange)
		b.AddASN1OctetString(s.salt[:])
		b.AddASN1OctetString(s.sealed[:])
	})
}

// parseHeader parses the file "token". What it accepts is marshalled to the same
// bytes.
func parseHeader(der []byte) (*header, error) {
	var (
		in, seq, user cryptobyte.String = der, nil, nil
		version       int64
		hasUser       bool
		h             header
	)
	if !in.ReadASN1(&seq, tag.SEQUENCE) || !in.Empty() ||
		!seq.ReadASN1Integer(&version) || version != formatVersion ||
		!readFixed(&seq, h.serial[:]) ||
		!readUTF8(&seq, &h.label, MaxTokenLabel) ||
		!h.officer.read(&seq) ||
		!seq.ReadOptionalASN1(&user, &hasUser, tag.Tag(0).ContextSpecific().Constructed()) || !seq.Empty() {
		return nil, ErrFormat
	}
	if hasUser {
		h.user = new(secret)
		if !h.user.read(&user) || !user.Empty() {
			return nil, ErrFormat
		}
	}
	return &h, nil
}

func (s *secret) read(in *cryptobyte.String) bool {
	var seq cryptobyte.String
	return in.ReadASN1(&seq, tag.SEQUENCE) &&
		seq.ReadASN1Integer(&s.tries) && s.tries >= 0 && s.tries <= MaxTries &&
		seq.ReadASN1Boolean(&s.mustChange) &&
		readFixed(&seq, s.salt[:]) && readFixed(&seq, s.sealed[:]) && seq.Empty()
}

// marshal returns the file of an object:
//
//	Object ::= SEQUENCE {
//	  version INTEGER (1), class ENUMERATED, label UTF8String, id OCTET STRING,
//	  body CHOICE { certificate OCTET STRING, key Key, data Data } }
//	Data ::= SEQUENCE {
//	  private BOOLEAN, application UTF8String, value OCTET STRING -- sealed if private -- }
//	Key ::= SEQUENCE {
//	  usage INTEGER (0..7), origin INTEGER (0..1), paramSet OBJECT IDENTIFIER,
//	  public OCTET STRING, sealed OCTET STRING OPTIONAL -- of private keys -- }
func (o *Object) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(formatVersion)
		b.AddASN1Enum(int64(o.Class))
		addUTF8(b, o.Label)
		b.AddASN1OctetString(o.ID)
		switch o.Class {
		case Certificate:
			b.AddASN1OctetString(o.Value)
			return
		case Data:
			b.AddASN1(tag.SEQUENCE, o.addData)
			return
		}
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(o.Usage))
			generated := int64(0)
			if o.Generated {
				generated = 1
			}
			b.AddASN1Int64(generated)
			b.AddASN1ObjectIdentifier(o.ParamSet)
			b.AddASN1OctetString(o.Value)
			if o.Class == PrivateKey {
				b.AddASN1OctetString(o.sealed)
			}
		})
	})
	return b.Bytes()
}

func (o *Object) addData(b *cryptobyte.Builder) {
	b.AddASN1Boolean(o.Private)
	addUTF8(b, o.Application)
	if o.Private {
		b.AddASN1OctetString(o.sealed)
	} else {
		b.AddASN1OctetString(o.Value)
	}
}

func (o *Object) readData(in *cryptobyte.String) bool {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, tag.SEQUENCE) || !seq.ReadASN1Boolean(&o.Private) || !readUTF8(&seq, &o.Application, maxLabel) {
		return false
	}
	place, limit := &o.Value, MaxData
	if o.Private {
		place, limit = &o.sealed, MaxData+sealOverhead
	}
	return readBytes(&seq, place, limit) && seq.Empty()
}

// parseObject parses the file of an object. What it accepts is valid, and is
// marshalled to the same bytes.
func parseObject(der []byte) (*Object, error) {
	var (
		in, seq cryptobyte.String = der, nil
		version int64
		class   int
		o       Object
	)
	if !in.ReadASN1(&seq, tag.SEQUENCE) || !in.Empty() ||
		!seq.ReadASN1Integer(&version) || version != formatVersion ||
		!seq.ReadASN1Enum(&class) ||
		!readUTF8(&seq, &o.Label, maxLabel) ||
		!readBytes(&seq, &o.ID, maxID) {
		return nil, ErrFormat
	}
	o.Class = Class(class)
	ok := false
	switch o.Class {
	case Certificate:
		ok = readBytes(&seq, &o.Value, MaxCertificate)
	case PublicKey, PrivateKey:
		ok = o.readKey(&seq)
	case Data:
		o.ID = nil
		ok = o.readData(&seq)
	}
	if !ok || !seq.Empty() || o.check() != nil {
		return nil, ErrFormat
	}
	// An identifier has more than one encoding, one of which is DER: the library
	// does not look.
	if back, err := o.marshal(); err != nil || !bytes.Equal(back, der) {
		return nil, ErrFormat
	}
	return &o, nil
}

func (o *Object) readKey(in *cryptobyte.String) bool {
	var (
		seq              cryptobyte.String
		usage, generated int64
	)
	if !in.ReadASN1(&seq, tag.SEQUENCE) ||
		!seq.ReadASN1Integer(&usage) || usage < 0 || usage > int64(allUsage) ||
		!seq.ReadASN1Integer(&generated) || generated < 0 || generated > 1 ||
		!seq.ReadASN1ObjectIdentifier(&o.ParamSet) ||
		!readBytes(&seq, &o.Value, 128) {
		return false
	}
	o.Usage, o.Generated = Usage(usage), generated == 1
	if o.Class == PrivateKey {
		curve, err := gost3410.CurveByParamSet(o.ParamSet)
		if err != nil || !readBytes(&seq, &o.sealed, maxID) || len(o.sealed) != curve.Size()+sealOverhead {
			return false
		}
	}
	return seq.Empty()
}

// keyAAD is what the sealed private key is bound to: nobody can put the private part
// of one key beside the public part of another.
func keyAAD(paramSet asn1.ObjectIdentifier, public []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(paramSet)
	b.AddASN1OctetString(public)
	return b.Bytes()
}

func addUTF8(b *cryptobyte.Builder, s string) {
	b.AddASN1(tag.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func readUTF8(in *cryptobyte.String, out *string, limit int) bool {
	var s cryptobyte.String
	if !in.ReadASN1(&s, tag.UTF8String) || len(s) > limit || !utf8.Valid(s) {
		return false
	}
	*out = string(s)
	return true
}

func readBytes(in *cryptobyte.String, out *[]byte, limit int) bool {
	var s cryptobyte.String
	if !in.ReadASN1(&s, tag.OCTET_STRING) || len(s) > limit {
		return false
	}
	*out = bytes.Clone(s)
	return true
}

func readFixed(in *cryptobyte.String, out []byte) bool {
	var s cryptobyte.String
	return in.ReadASN1(&s, tag.OCTET_STRING) && copy(out, s) == len(out) && len(s) == len(out)
}

// readFile reads a file of a token. The error is fs.ErrNotExist, or ErrFormat for
// one that is too long, or something else than a file: a pipe would be waited for.
func readFile(path string) ([]byte, error) {
	if st, err := os.Stat(path); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no file", ErrFormat, filepath.Base(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: %s is too long", ErrFormat, filepath.Base(path))
	}
	return data, nil
}

// writeFile replaces a file as a whole: after a crash there is the old or the new
// one.
func writeFile(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return gone(dir, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // there is nothing to do about it, and it is ignored
		return gone(dir, err)
	}
	return syncDir(dir)
}

// gone makes ErrRemoved of an error that came since the directory is not there.
func gone(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(dir); errors.Is(serr, fs.ErrNotExist) {
			return ErrRemoved
		}
	}
	return err
}
