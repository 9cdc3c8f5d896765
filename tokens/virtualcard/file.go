package virtualcard

import (
	"encoding/binary"
	"slices"

	"propusk/gost/gost3410"
	"propusk/tokens/internal/iso7816"
)

// Tags of a file control information template (ISO/IEC 7816-4, 7.4.3).
const (
	tagFCP        = 0x62
	tagFCI        = 0x6F
	tagSize       = 0x80
	tagDescriptor = 0x82
	tagID         = 0x83
	tagProperties = 0x85 // of a PIN or a key
	tagSecurity   = 0x86
)

// File descriptors, the first byte of [tagDescriptor].
const (
	descriptorEF  = 0x01
	descriptorRSF = 0x10 // a PIN or a key
	descriptorDF  = 0x38
)

// Kinds of PINs and keys, the first byte of [tagProperties].
const (
	kindPIN        = 0x01
	kindPrivateKey = 0x03 // of GOST R 34.10
	kindPublicKey  = 0x13
)

// Files that the card itself knows.
const (
	idMF         = 0x3F00
	idSystem     = 0x1000 // in the MF, and again in itself
	idPublicKeys = 0x6001
	idPrivate    = 0x6002
)

// maxMemory is how much fits into the card, in bytes; a token has 128 KiB.
const maxMemory = 128 << 10

// operation is what a condition is for: the number of a bit in the first byte of
// [tagSecurity], and of the byte of its condition after that.
type operation uint8

// The operations; what 0 and 1 mean depends on the kind of file.
const (
	opRead   operation = 0 // of an EF; make a file in a DF; unblock a PIN
	opUpdate operation = 1 // of an EF or a key; make a key in a DF; change a PIN
	opUse    operation = 2 // of a key
	opDelete operation = 6
)

// condition is who may do something: nobody has to be there, or one whose PIN has this
// number, or both bits, either; or it is not done at all.
type condition byte

const never condition = 0xFF

// file is a DF, an EF, a PIN or a key.
type file struct {
	id         uint16
	descriptor byte
	template   []iso7816.Object // as it was made
	security   []byte
	parent     *file
	children   []*file

	data  []byte               // of an EF or a public key
	curve *gost3410.Curve      // of a key
	key   *gost3410.PrivateKey // of a private key; nil until there is one
	pin   *pin
}

// pin is a PIN.
type pin struct {
	value     []byte
	least     int // bytes
	most      int // tries
	left      int
	flags     byte // 0x80: still that of the factory
	presented int  // how often one was checked
}

const pinOfFactory = 0x80

// newFile makes a file as a template says; nil if it cannot.
func newFile(template []iso7816.Object) *file {
	id, descriptor := iso7816.Find(template, tagID), iso7816.Find(template, tagDescriptor)
	security, size := iso7816.Find(template, tagSecurity), iso7816.Find(template, tagSize)
	if len(id) != 2 || len(descriptor) == 0 || len(security) != 15 {
		return nil
	}
	f := &file{id: binary.BigEndian.Uint16(id), descriptor: descriptor[0], security: slices.Clone(security)}
	for _, o := range template {
		f.template = append(f.template, iso7816.Object{Tag: o.Tag, Value: slices.Clone(o.Value)})
	}
	properties := iso7816.Find(f.template, tagProperties)
	switch f.descriptor {
	case descriptorDF:
		return f
	case descriptorEF:
		if len(size) != 2 {
			return nil
		}
		f.data = make([]byte, binary.BigEndian.Uint16(size))
		return f
	case descriptorRSF:
		if len(properties) < 4 {
			return nil
		}
		return f.secret(properties)
	}
	return nil
}

// secret makes a PIN or a key.
func (f *file) secret(properties []byte) *file {
	switch properties[0] {
	case kindPIN:
		f.pin = &pin{least: int(properties[1]), flags: properties[2], most: int(properties[3] >> 4), left: int(properties[3] & 0x0F)}
		if f.pin.most == 0 || f.id == 0 || f.id > 0xFF {
			return nil
		}
		return f
	case kindPrivateKey, kindPublicKey:
		f.curve = curveOf(properties[1] >> 4)
		if f.curve == nil {
			return nil
		}
		return f
	}
	return nil // RSA is not here
}

// curveOf returns the curve with the number that OpenSC's driver has for it.
func curveOf(number byte) *gost3410.Curve {
	switch number {
	case 2:
		return gost3410.CryptoProA()
	case 3:
		return gost3410.CryptoProB()
	case 4:
		return gost3410.CryptoProC()
	}
	return nil
}

// control writes the template of a file under a tag.
func (f *file) control(tag byte) []byte {
	var body []byte
	for _, o := range f.template {
		value := o.Value
		if o.Tag == tagProperties && f.pin != nil {
			value = slices.Clone(value)
			value[2], value[3] = f.pin.flags, byte(f.pin.most<<4|f.pin.left)
		}
		body = iso7816.AppendObject(body, o.Tag, value...)
	}
	return iso7816.AppendObject(nil, tag, body...)
}

// condition returns who may do an operation. What a template says nothing about is free.
func (f *file) condition(op operation) condition {
	if f.security[0]&(1<<op) == 0 {
		return 0
	}
	return condition(f.security[1+op])
}

// child returns the file with an identifier; nil if there is none.
func (f *file) child(id uint16) *file {
	for _, c := range f.children {
		if c.id == id {
			return c
		}
	}
	return nil
}

// walk returns the file at a path from f; nil if there is none.
func (f *file) walk(path ...uint16) *file {
	for _, id := range path {
		if f == nil {
			return nil
		}
		f = f.child(id)
	}
	return f
}

// directory returns the DF that f is or is in.
func (f *file) directory() *file {
	if f.descriptor == descriptorDF {
		return f
	}
	return f.parent
}

// memory is how much a file and what is in it take, in bytes.
func (f *file) memory() int {
	n := 64 + len(f.data)
	for _, c := range f.children {
		n += c.memory()
	}
	return n
}
