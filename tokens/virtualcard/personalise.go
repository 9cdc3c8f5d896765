package virtualcard

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"propusk/tokens/internal/iso7816"
)

// Files of a card that pkcs15-init of OpenSC has given PKCS #15 (ISO/IEC 7816-15) with
// its profile rutoken_ecp.profile.
const (
	idDIR         = 0x2F00
	idApplication = 0x5000
	idODF         = 0x5031
	idTokenInfo   = 0x5032
	idAODF        = 0x6005
	idPrKDF       = 0x6002
	idPuKDF       = 0x6001
	idCDF         = 0x6004
	idDODF        = 0x6006
	idKeyFile     = 0x0200
	idCertificate = 0x0300
)

// Who may do what, as the profile has it: the byte of operations, and one for each of
// the seven; the rest of the 15 is zero.
var (
	directoryACL = [15]byte{0x43, pinUser, pinUser, 0, 0, 0, 0, byte(never)}
	officerACL   = [15]byte{0x43, 0, pinOfficer, 0, 0, 0, 0, pinOfficer}
	userACL      = [15]byte{0x43, 0, pinUser, 0, 0, 0, 0, pinUser}
	privateACL   = [15]byte{0x46, 0, pinUser, pinUser, 0, 0, 0, pinUser}
	publicACL    = [15]byte{0x46, 0, pinUser, 0, 0, 0, 0, pinUser}
)

// personalise does what pkcs15-init does to a blank token, and puts the key and the
// certificate on it.
func (r *rutoken) personalise(o Options) error {
	b := builder{r: r, status: iso7816.OK}
	b.file(idMF, descriptorDF, 0, directoryACL)
	b.pin(pinOfficer, o.SOPIN, 10, 8, ofFactory(o.SOPIN, "87654321"))
	b.pin(pinUser, o.PIN, o.Tries, 6, ofFactory(o.PIN, "12345678"))
	b.ef(nil, idDIR, 128, officerACL, directory(o))
	b.directories()
	b.keys(o)
	b.file(idApplication, descriptorDF, 0, directoryACL)
	application := []uint16{idApplication}
	b.ef(application, idODF, 128, officerACL, objectDirectory())
	b.ef(application, idTokenInfo, 128, userACL, tokenInfo(o))
	b.ef(application, idAODF, 256, officerACL, authentication())
	b.ef(application, idPrKDF, 2048, userACL, privateKey(o))
	b.ef(application, idPuKDF, 2048, userACL, publicKey(o))
	value := wrapped(o.Key.PublicKey().Bytes())
	b.ef(application, idKeyFile, len(value), userACL, value)
	var certificates, data []byte
	if o.Certificate != nil {
		certificates, data = certificate(o), dataObject(o)
		b.ef(application, idCertificate, len(o.Certificate), userACL, o.Certificate)
	}
	b.ef(application, idCDF, 2048, userACL, certificates)
	b.ef(application, idDODF, 2048, userACL, data)
	r.open = false
	if b.status != iso7816.OK {
		return fmt.Errorf("virtualcard: the card refused its own files: %04X", uint16(b.status))
	}
	return nil
}

// ofFactory returns the flag of a PIN that nobody has changed.
func ofFactory(pin []byte, factory string) byte {
	if string(pin) == factory {
		return pinOfFactory
	}
	return 0
}

// builder gives a card files with its own commands. Its status is that of the first
// command that failed.
type builder struct {
	r      *rutoken
	status iso7816.Status
}

func (b *builder) note(s iso7816.Status) {
	if b.status == iso7816.OK {
		b.status = s
	}
}

// create makes a file in the current directory.
func (b *builder) create(template []byte) {
	b.note(b.r.create(Command{INS: insCreate, Data: iso7816.AppendObject(nil, tagFCP, template...)}))
}

// file makes a DF, or an EF of a size in bytes.
func (b *builder) file(id uint16, descriptor byte, size int, acl [15]byte) {
	t := iso7816.AppendObject(nil, tagSize, byte(size>>8), byte(size))
	t = iso7816.AppendObject(t, tagDescriptor, descriptor, 0)
	t = iso7816.AppendObject(t, tagID, byte(id>>8), byte(id))
	b.create(iso7816.AppendObject(t, tagSecurity, acl[:]...))
}

// at selects a directory.
func (b *builder) at(path ...uint16) {
	b.r.current = b.r.mf.walk(path...)
}

// ef makes an EF in a directory and writes its beginning.
func (b *builder) ef(directory []uint16, id uint16, size int, acl [15]byte, content []byte) {
	b.at(directory...)
	b.file(id, descriptorEF, size, acl)
	if b.r.current == nil || len(content) > len(b.r.current.data) {
		b.note(iso7816.NoMemory)
		return
	}
	copy(b.r.current.data, content)
}

// directories makes those that the card itself knows.
func (b *builder) directories() {
	b.at()
	b.file(idSystem, descriptorDF, 0, directoryACL)
	b.file(idSystem, descriptorDF, 0, directoryACL)
	for id := uint16(idPublicKeys); id <= 0x6005; id++ {
		b.at(idSystem, idSystem)
		b.file(id, descriptorDF, 0, directoryACL)
	}
	b.at()
}

// pin makes a PIN, in the form of a token of Aktiv.
func (b *builder) pin(number byte, value []byte, tries, least int, flags byte) {
	// The officer unblocks the PIN of the user and changes it, which Aktiv's own format
	// leaves to the user.
	acl := [15]byte{0x43, pinOfficer, pinUser | pinOfficer, 0, 0, 0, 0, byte(never)}
	if number == pinOfficer {
		acl = [15]byte{0x43, byte(never), pinOfficer, 0, 0, 0, 0, byte(never)}
	}
	t := iso7816.AppendObject(nil, tagProperties, kindPIN, byte(least), flags, byte(tries<<4|tries), 0, 0)
	t = iso7816.AppendObject(t, tagDescriptor, descriptorRSF, 0)
	t = iso7816.AppendObject(t, tagID, 0, number)
	t = iso7816.AppendObject(t, 0x8A, 0x05) // it is in use
	b.create(iso7816.AppendObject(t, tagSecurity, acl[:]...))
	if f := b.r.pins[number]; f != nil {
		f.pin.value = append([]byte{}, value...)
	}
}

// keys makes key pair 1.
func (b *builder) keys(o Options) {
	size := o.Key.PublicKey().Curve().Size()
	for _, half := range []struct {
		kind byte
		size int
		acl  [15]byte
	}{{kindPrivateKey, size, privateACL}, {kindPublicKey, 2 * size, publicACL}} {
		t := iso7816.AppendObject(nil, tagSize, 0, byte(half.size))
		t = iso7816.AppendObject(t, tagDescriptor, descriptorRSF, 0)
		t = iso7816.AppendObject(t, tagID, 0, 1)
		t = iso7816.AppendObject(t, tagProperties, half.kind, curveNumber(o.Key.PublicKey().Curve())<<4, 0, 0xAA, 0, 0)
		b.create(iso7816.AppendObject(t, tagSecurity, half.acl[:]...))
	}
	if f := b.r.private(1); f != nil {
		f.key = o.Key
	}
	if f := b.r.mf.walk(idSystem, idSystem, idPublicKeys, 1); f != nil {
		f.data = o.Key.PublicKey().Bytes()
	}
	b.at()
}

// Flags of PKCS #15 objects, as BIT STRINGs.
var (
	private    = []byte{6, 0xC0} // and modifiable
	modifiable = []byte{6, 0x40}
)

// Numbers of PKCS #15.
const (
	choicePrivateKeys  = 0
	choicePublicKeys   = 1
	choiceCertificates = 4
	choiceData         = 7
	choicePINs         = 8

	choiceGOST = 4 // OpenSC's own, among the kinds of keys
)

// write returns what f writes. What is written here always fits.
func write(f func(*cryptobyte.Builder)) []byte {
	b := cryptobyte.NewBuilder(nil)
	f(b)
	return b.BytesOrPanic()
}

func sequence(b *cryptobyte.Builder, f cryptobyte.BuilderContinuation) {
	b.AddASN1(asn1.SEQUENCE, f)
}

func context(number uint8) asn1.Tag { return asn1.Tag(number).ContextSpecific().Constructed() }

func text(b *cryptobyte.Builder, s string) {
	b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func bits(b *cryptobyte.Builder, value ...byte) {
	b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(value) })
}

// location writes the path of a file from the MF.
func location(b *cryptobyte.Builder, path ...uint16) {
	sequence(b, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			b.AddUint16(idMF)
			for _, id := range path {
				b.AddUint16(id)
			}
		})
	})
}

// name writes CommonObjectAttributes.
func name(b *cryptobyte.Builder, label string, flags []byte, authority byte) {
	sequence(b, func(b *cryptobyte.Builder) {
		text(b, label)
		bits(b, flags...)
		if authority != 0 {
			b.AddASN1OctetString([]byte{authority})
		}
	})
}

// directory is EF.DIR.
func directory(o Options) []byte {
	t := iso7816.AppendObject(nil, 0x4F, []byte("\xA0\x00\x00\x00\x63PKCS-15")...)
	t = iso7816.AppendObject(t, 0x50, []byte(o.Label)...)
	t = iso7816.AppendObject(t, 0x51, idMF>>8, idMF&0xFF, idApplication>>8, idApplication&0xFF)
	return iso7816.AppendObject(nil, 0x61, t...)
}

// objectDirectory is EF.ODF: where the others are.
func objectDirectory() []byte {
	return write(func(b *cryptobyte.Builder) {
		for _, e := range []struct {
			choice uint8
			id     uint16
		}{{choicePINs, idAODF}, {choicePrivateKeys, idPrKDF}, {choicePublicKeys, idPuKDF}, {choiceCertificates, idCDF}, {choiceData, idDODF}} {
			b.AddASN1(context(e.choice), func(b *cryptobyte.Builder) { location(b, idApplication, e.id) })
		}
	})
}

// tokenInfo is EF.TokenInfo.
func tokenInfo(o Options) []byte {
	return write(func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(0)
			b.AddASN1OctetString(binary.BigEndian.AppendUint64(nil, uint64(o.Serial)))
			text(b, "Aktiv Co.")
			b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(o.Label)) })
			bits(b, 4, 0x10)
		})
	})
}

// authentication is EF.AODF: the PINs.
func authentication() []byte {
	const text = 2 // PinType utf8
	return write(func(b *cryptobyte.Builder) {
		for _, p := range []struct {
			label         string
			number, flags byte
			least         int64
		}{{"Security Officer PIN", pinOfficer, 0x99, 8}, {"User PIN", pinUser, 0x98, 6}} {
			sequence(b, func(b *cryptobyte.Builder) {
				name(b, p.label, private, 0)
				sequence(b, func(b *cryptobyte.Builder) { b.AddASN1OctetString([]byte{p.number}) })
				b.AddASN1(context(1), func(b *cryptobyte.Builder) {
					sequence(b, func(b *cryptobyte.Builder) {
						bits(b, unused(p.flags), p.flags)
						b.AddASN1Enum(text)
						b.AddASN1Int64(p.least)
						b.AddASN1Int64(32) // as it is kept
						b.AddASN1Int64(32) // at most
						b.AddASN1Int64WithTag(int64(p.number), asn1.Tag(0).ContextSpecific())
						b.AddASN1OctetString([]byte{0}) // padding
					})
				})
			})
		}
	})
}

// unused is how many of the low bits of a BIT STRING say nothing: DER wants no zeros
// there.
func unused(flags byte) byte {
	var n byte
	for flags&(1<<n) == 0 {
		n++
	}
	return n
}

// gostParameters writes the numbers of the parameter set: A, B and C are 1 to 3.
func gostParameters(b *cryptobyte.Builder, o Options) {
	b.AddASN1Int64(int64(curveNumber(o.Key.PublicKey().Curve())) - 1)
	b.AddASN1Int64(0)
	b.AddASN1Int64(0)
}

// privateKey is EF.PrKDF.
func privateKey(o Options) []byte {
	return write(func(b *cryptobyte.Builder) {
		b.AddASN1(context(choiceGOST), func(b *cryptobyte.Builder) {
			name(b, o.KeyLabel, private, pinUser)
			sequence(b, func(b *cryptobyte.Builder) {
				b.AddASN1OctetString(o.ID)
				bits(b, 4, 0x30) // sign
				b.AddASN1Int64(1)
			})
			b.AddASN1(context(1), func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					location(b, idSystem, idSystem, idPrivate, 1)
					gostParameters(b, o)
				})
			})
		})
	})
}

// publicKey is EF.PuKDF.
func publicKey(o Options) []byte {
	return write(func(b *cryptobyte.Builder) {
		b.AddASN1(context(choiceGOST), func(b *cryptobyte.Builder) {
			name(b, o.KeyLabel, modifiable, 0)
			sequence(b, func(b *cryptobyte.Builder) {
				b.AddASN1OctetString(o.ID)
				bits(b, 0, 0x03) // verify
				b.AddASN1Boolean(false)
				b.AddASN1Int64(0)
			})
			b.AddASN1(context(1), func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					location(b, idApplication, idKeyFile)
					gostParameters(b, o)
				})
			})
		})
	})
}

// wrapped is a public key as OpenSC keeps it.
func wrapped(key []byte) []byte {
	return write(func(b *cryptobyte.Builder) { b.AddASN1OctetString(key) })
}

// certificate is EF.CDF.
func certificate(o Options) []byte {
	return write(func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			name(b, o.KeyLabel, modifiable, 0)
			sequence(b, func(b *cryptobyte.Builder) { b.AddASN1OctetString(o.ID) })
			b.AddASN1(context(1), func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) { location(b, idApplication, idCertificate) })
			})
		})
	})
}

// dataObject is EF.DODF: the certificate once more, as data. OpenSC shows no certificate
// of a key of GOST R 34.10-2012, since it knows the identifier of 2001 only
// (src/libopensc/pkcs15-algo.c), but it shows data.
func dataObject(o Options) []byte {
	return write(func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			name(b, o.KeyLabel, modifiable, 0)
			sequence(b, func(b *cryptobyte.Builder) { text(b, "X.509") })
			b.AddASN1(context(1), func(b *cryptobyte.Builder) { location(b, idApplication, idCertificate) })
		})
	})
}
