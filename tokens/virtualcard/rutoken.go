package virtualcard

import (
	"crypto/rand"
	"encoding/binary"
	"slices"

	"propusk/gost/gost3410"
	"propusk/tokens/internal/iso7816"
)

// Instructions (ISO/IEC 7816-4, -8 and -9; the last three of class 80 are Aktiv's).
const (
	insVerify      = 0x20
	insEnvironment = 0x22
	insChange      = 0x24
	insSign        = 0x2A
	insUnblock     = 0x2C
	insGenerate    = 0x46
	insChallenge   = 0x84
	insSelect      = 0xA4
	insRead        = 0xB0
	insGetData     = 0xCA
	insUpdate      = 0xD6
	insCreate      = 0xE0
	insDelete      = 0xE4

	insLogout = 0x40
	insSettle = 0x84 // ends the initialisation
	insErase  = 0x8A
)

// The PINs.
const (
	pinOfficer = 1
	pinUser    = 2
)

// wantsLogout is the answer to a PIN while one is entered already.
const wantsLogout iso7816.Status = 0x6F86

// maxChain limits what commands of one chain carry together, in bytes.
const maxChain = 4 << 10

// rutoken is the program of a Rutoken ЭЦП, as far as OpenSC's driver rutoken_ecp and
// package pcsc ask for it. OpenSC: src/libopensc/card-rtecp.c, src/pkcs15init.
type rutoken struct {
	mf     *file // nil after it was erased
	pins   map[byte]*file
	open   bool // it is being initialised: nobody has to be there
	serial uint32
	model  string

	// What ends with the power.
	current *file
	entered byte // the PIN that was entered; 0 is none
	key     byte // the key that signs
	chain   Command
}

func (r *rutoken) reset() {
	r.current, r.entered, r.key, r.chain = r.mf, 0, 0, Command{}
}

// execute does a command, or keeps it until the last one of its chain is there
// (ISO/IEC 7816-4, 5.3.3).
func (r *rutoken) execute(c Command) iso7816.Response {
	const chained = 0x10
	more := c.CLA&chained != 0
	c.CLA &^= chained
	if before := r.chain; before.Data != nil {
		r.chain = Command{}
		if before.CLA != c.CLA || before.INS != c.INS || before.P1 != c.P1 || before.P2 != c.P2 {
			return iso7816.Response{SW: iso7816.ChainingBroken}
		}
		c.Data = append(before.Data, c.Data...)
	}
	switch {
	case len(c.Data) > maxChain:
		return iso7816.Response{SW: iso7816.WrongLength}
	case more:
		r.chain = c
		r.chain.Data = append([]byte{}, c.Data...)
		return iso7816.Response{SW: iso7816.OK}
	}
	data, status := r.run(c)
	if status != iso7816.OK {
		data = nil
	}
	return iso7816.Response{Data: data, SW: status}
}

// run does a whole command.
func (r *rutoken) run(c Command) ([]byte, iso7816.Status) {
	switch c.CLA {
	case 0x00:
		return r.standard(c)
	case 0x80:
		switch c.INS {
		case insLogout:
			r.entered = 0
		case insSettle:
			r.open = false
		case insErase:
			*r = rutoken{pins: map[byte]*file{}, open: true, serial: r.serial, model: r.model}
		default:
			return nil, iso7816.UnknownInstruction
		}
		return nil, iso7816.OK
	default:
		return nil, iso7816.UnknownClass
	}
}

// standard does the instructions of the standards.
func (r *rutoken) standard(c Command) ([]byte, iso7816.Status) {
	switch c.INS {
	case insSelect:
		return r.selectFile(c)
	case insRead:
		return r.read(c)
	case insUpdate:
		return nil, r.update(c)
	case insCreate:
		return nil, r.create(c)
	case insDelete:
		return nil, r.remove(c)
	case insVerify:
		return nil, r.verify(c)
	case insChange:
		return nil, r.change(c)
	case insUnblock:
		return nil, r.unblock(c)
	case insEnvironment:
		return nil, r.environment(c)
	case insSign:
		return r.sign(c)
	case insGenerate:
		return r.generate(c)
	case insGetData:
		return r.getData(c)
	case insChallenge:
		random := make([]byte, min(c.Le, 255))
		rand.Read(random) // it never fails
		return random, iso7816.OK
	default:
		return nil, iso7816.UnknownInstruction
	}
}

// may reports whether who is there may do an operation on a file.
func (r *rutoken) may(f *file, op operation) bool {
	switch who := f.condition(op); {
	case r.open || who == 0:
		return true
	case who == never:
		return false
	default:
		return r.entered != 0 && byte(who)&r.entered == r.entered
	}
}

// selectFile selects a file and returns its template (ISO/IEC 7816-4, 11.2.2).
func (r *rutoken) selectFile(c Command) ([]byte, iso7816.Status) {
	if r.mf == nil {
		return nil, iso7816.NotFound
	}
	directory := r.mf
	if r.current != nil {
		directory = r.current.directory()
	}
	var found *file
	switch c.P1 {
	case 0x00:
		found = r.byID(c, directory)
	case 0x03:
		found = directory.parent
	case 0x08, 0x09:
		from := r.mf
		if c.P1 == 0x09 {
			from = directory
		}
		if len(c.Data)%2 != 0 {
			return nil, iso7816.WrongData
		}
		found = from.walk(path(c.Data)...)
	default:
		return nil, iso7816.WrongParameters
	}
	if found == nil {
		return nil, iso7816.NotFound
	}
	r.current = found
	switch c.P2 & 0x0C {
	case 0x0C:
		return nil, iso7816.OK
	case 0x04:
		return found.control(tagFCP), iso7816.OK
	default:
		return found.control(tagFCI), iso7816.OK
	}
}

// byID looks for a file in a directory: by its identifier, or the first one, or the one
// after an identifier.
func (r *rutoken) byID(c Command, directory *file) *file {
	const next = 0x02
	switch {
	case len(c.Data) == 0 && c.P2&3 == 0 && len(directory.children) != 0:
		return directory.children[0]
	case len(c.Data) != 2:
		return nil
	}
	id := binary.BigEndian.Uint16(c.Data)
	if c.P2&3 == next {
		i := slices.IndexFunc(directory.children, func(f *file) bool { return f.id == id })
		if i < 0 || i+1 == len(directory.children) {
			return nil
		}
		return directory.children[i+1]
	}
	switch {
	case id == idMF:
		return r.mf
	case directory.child(id) != nil:
		return directory.child(id)
	case directory.id == id:
		return directory
	}
	return nil
}

// path reads the identifiers of a path.
func path(b []byte) []uint16 {
	var ids []uint16
	for ; len(b) >= 2; b = b[2:] {
		ids = append(ids, binary.BigEndian.Uint16(b))
	}
	return ids
}

// currentEF returns the EF that is selected and an offset in it.
func (r *rutoken) currentEF(c Command, op operation) (*file, int, iso7816.Status) {
	offset := int(c.P1&0x7F)<<8 | int(c.P2)
	switch f := r.current; {
	case f == nil || f.descriptor != descriptorEF:
		return nil, 0, iso7816.NoCurrentFile
	case !r.may(f, op):
		return nil, 0, iso7816.SecurityStatus
	case offset > len(f.data):
		return nil, 0, iso7816.WrongOffset
	default:
		return f, offset, iso7816.OK
	}
}

func (r *rutoken) read(c Command) ([]byte, iso7816.Status) {
	f, offset, status := r.currentEF(c, opRead)
	if status != iso7816.OK {
		return nil, status
	}
	return slices.Clone(f.data[offset:min(len(f.data), offset+c.Le)]), iso7816.OK
}

func (r *rutoken) update(c Command) iso7816.Status {
	f, offset, status := r.currentEF(c, opUpdate)
	if status != iso7816.OK {
		return status
	}
	if offset+len(c.Data) > len(f.data) {
		return iso7816.NoMemory
	}
	copy(f.data[offset:], c.Data)
	return iso7816.OK
}

// create makes a file, a PIN or a key where its kind belongs.
func (r *rutoken) create(c Command) iso7816.Status {
	outer, err := iso7816.ParseObjects(c.Data)
	if err != nil || len(outer) != 1 || outer[0].Tag != tagFCI && outer[0].Tag != tagFCP {
		return iso7816.WrongData
	}
	template, err := iso7816.ParseObjects(outer[0].Value)
	if err != nil {
		return iso7816.WrongData
	}
	f := newFile(template)
	if f == nil {
		return iso7816.WrongData
	}
	if r.mf == nil {
		if f.id != idMF || f.descriptor != descriptorDF {
			return iso7816.NotFound
		}
		r.mf, r.current = f, f
		return iso7816.OK
	}
	return r.put(f)
}

// put puts a new file into its place.
func (r *rutoken) put(f *file) iso7816.Status {
	directory := r.mf
	if r.current != nil {
		directory = r.current.directory()
	}
	op := opRead // make a file
	if f.descriptor == descriptorRSF {
		op = opUpdate // make a PIN or a key
	}
	if !r.may(directory, op) {
		return iso7816.SecurityStatus
	}
	switch kind := iso7816.Find(f.template, tagProperties); {
	case f.pin != nil:
		if r.pins[byte(f.id)] != nil {
			return iso7816.Exists
		}
		r.pins[byte(f.id)] = f
		return iso7816.OK
	case f.curve != nil && kind[0] == kindPrivateKey:
		directory = r.mf.walk(idSystem, idSystem, idPrivate)
	case f.curve != nil:
		directory = r.mf.walk(idSystem, idSystem, idPublicKeys)
	}
	switch {
	case directory == nil:
		return iso7816.NotFound
	case directory.child(f.id) != nil:
		return iso7816.Exists
	case r.mf.memory()+f.memory() > maxMemory:
		return iso7816.NoMemory
	}
	f.parent = directory
	directory.children = append(directory.children, f)
	r.current = f
	return iso7816.OK
}

// remove deletes the current file, or one in the current directory.
func (r *rutoken) remove(c Command) iso7816.Status {
	f := r.current
	if f != nil && len(c.Data) != 0 {
		if len(c.Data) != 2 {
			return iso7816.WrongData
		}
		f = f.directory().child(binary.BigEndian.Uint16(c.Data))
	}
	switch {
	case f == nil || f.parent == nil:
		return iso7816.NotFound
	case !r.may(f, opDelete):
		return iso7816.SecurityStatus
	}
	siblings := &f.parent.children
	*siblings = slices.DeleteFunc(*siblings, func(other *file) bool { return other == f })
	r.current = f.parent
	return iso7816.OK
}

// environment chooses the key that signs: tag 84 of the template for digital signatures
// (ISO/IEC 7816-4, 11.5.11).
func (r *rutoken) environment(c Command) iso7816.Status {
	template, err := iso7816.ParseObjects(c.Data)
	reference := iso7816.Find(template, 0x84)
	if err != nil || len(reference) != 1 {
		return iso7816.WrongData
	}
	r.key = reference[0]
	return iso7816.OK
}

// private returns the private key with a number; nil if there is none.
func (r *rutoken) private(number byte) *file {
	if r.mf == nil {
		return nil
	}
	return r.mf.walk(idSystem, idSystem, idPrivate, uint16(number))
}

// sign signs a digest. It comes as hashes write it, and the signature goes as LE(r)|LE(s),
// the reverse of what RFC 9215 has.
func (r *rutoken) sign(c Command) ([]byte, iso7816.Status) {
	f := r.private(r.key)
	switch {
	case c.P1 != 0x9E || c.P2 != 0x9A:
		return nil, iso7816.WrongParameters
	case f == nil || f.key == nil:
		return nil, iso7816.NoReference
	case !r.may(f, opUse):
		return nil, iso7816.SecurityStatus
	case len(c.Data) != f.curve.Size():
		return nil, iso7816.WrongLength
	}
	signature, err := f.key.Sign(rand.Reader, c.Data, nil)
	if err != nil {
		return nil, iso7816.Failure
	}
	slices.Reverse(signature)
	return signature, iso7816.OK
}

// generate makes the key pair whose two files are there, and returns the public key,
// LE(x)|LE(y).
func (r *rutoken) generate(c Command) ([]byte, iso7816.Status) {
	f := r.private(c.P2)
	switch {
	case f == nil:
		return nil, iso7816.NoReference
	case !r.may(f, opUpdate):
		return nil, iso7816.SecurityStatus
	}
	key, err := gost3410.GenerateKey(f.curve, rand.Reader)
	if err != nil {
		return nil, iso7816.Failure
	}
	f.key = key
	public := key.PublicKey().Bytes()
	if half := r.mf.walk(idSystem, idSystem, idPublicKeys, uint16(c.P2)); half != nil {
		half.data = slices.Clone(public)
	}
	return public, iso7816.OK
}

// getData answers what a token tells without a PIN.
func (r *rutoken) getData(c Command) ([]byte, iso7816.Status) {
	if c.P1 != 0x01 {
		return nil, iso7816.NoReference
	}
	switch c.P2 {
	case 0x62: // which PINs must be changed first
		return make([]byte, 4), iso7816.OK
	case 0x81:
		return binary.BigEndian.AppendUint64(nil, uint64(r.serial)), iso7816.OK
	case 0x85:
		name := make([]byte, 128)
		copy(name, r.model)
		return name, iso7816.OK
	case 0x8A:
		free := maxMemory
		if r.mf != nil {
			free -= r.mf.memory()
		}
		return binary.BigEndian.AppendUint32(nil, uint32(free)), iso7816.OK
	}
	if f := r.pins[c.P2]; f != nil {
		return f.control(tagFCP), iso7816.OK
	}
	return nil, iso7816.NoReference
}
