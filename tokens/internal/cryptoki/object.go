package cryptoki

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/tokens/soft"
)

// Attribute is CK_ATTRIBUTE with a value.
type Attribute struct {
	Type  uint
	Value []byte
}

// maxSessionObjects limits what is kept in memory for a token: an application that
// forgets to destroy derived keys would fill it.
const maxSessionObjects = 4096

// signer is a private key, of a token or of a session.
type signer interface {
	crypto.Signer
	vko.Agreement
}

// object is what a handle means: an object of a token, or one of a session.
type object struct {
	soft.Object        // without a Name, if it is of a session
	session     uint   // its handle; zero is a token object
	key         signer // of private keys, once it was needed
	public      *gost3410.PublicKey

	secret *secretKey // not nil is a secret key, and Object is empty but for label and ID
}

// secretKey is the result of a key agreement; it lives in a session.
type secretKey struct {
	keyType, mechanism     uint
	value                  []byte
	sensitive, extractable bool
}

// private reports whether the object is one that the user alone sees.
func (o *object) private() bool { return o.privateKey() || o.Private }

func (o *object) privateKey() bool { return o.Class == soft.PrivateKey }

// wipe overwrites the value of a secret key, and data of a session. Private keys do it
// themselves.
func (o *object) wipe() {
	switch {
	case o.secret != nil:
		clear(o.secret.value)
	case o.Class == soft.Data && o.session != 0:
		clear(o.Value)
	}
}

func (o *object) class() uint {
	switch {
	case o.secret != nil:
		return classSecretKey
	case o.Class == soft.PrivateKey:
		return classPrivateKey
	case o.Class == soft.PublicKey:
		return classPublicKey
	case o.Class == soft.Data:
		return classData
	}
	return classCertificate
}

// size is the length in bytes of a digest that the key signs.
func (o *object) size() int { return len(o.Value) / 2 }

// attribute returns the value of an attribute; the error is AttributeTypeInvalid or
// AttributeSensitive.
func (o *object) attribute(typ uint) ([]byte, error) {
	switch typ {
	case attrClass:
		return Ulong(o.class()), nil
	case attrToken:
		return boolean(o.session == 0), nil
	case attrPrivate:
		return boolean(o.private()), nil
	case attrModifiable, attrDestroyable:
		return boolean(true), nil
	case attrCopyable:
		return boolean(false), nil
	case attrLabel:
		return []byte(o.Label), nil
	case attrID:
		return o.ID, nil
	}
	switch o.class() {
	case classCertificate:
		return o.certificateAttribute(typ)
	case classSecretKey:
		return o.secretAttribute(typ)
	case classData:
		return o.dataAttribute(typ)
	}
	return o.keyAttribute(typ)
}

// dataAttribute does not know private data of a token: see [Module.Attributes].
func (o *object) dataAttribute(typ uint) ([]byte, error) {
	switch typ {
	case attrApplication:
		return []byte(o.Application), nil
	case attrObjectID:
		return nil, nil
	case attrValue:
		if o.sealed() {
			return nil, AttributeSensitive
		}
		return bytes.Clone(o.Value), nil
	}
	return nil, AttributeTypeInvalid
}

// sealed reports whether the object is data that the token must open.
func (o *object) sealed() bool { return o.Class == soft.Data && o.Private && o.session == 0 }

func (o *object) certificateAttribute(typ uint) ([]byte, error) {
	switch typ {
	case attrCertificateType, attrCategory: // X.509; unspecified
		return Ulong(0), nil
	case attrTrusted:
		return boolean(false), nil
	case attrValue:
		return o.Value, nil
	case attrStartDate, attrEndDate:
		return nil, nil
	}
	issuer, subject, serial, ok := names(o.Value)
	if !ok { // not checked by the token: then there are no names
		issuer, subject, serial = nil, nil, nil
	}
	switch typ {
	case attrIssuer:
		return issuer, nil
	case attrSubject:
		return subject, nil
	case attrSerialNumber:
		return serial, nil
	}
	return nil, AttributeTypeInvalid
}

func (o *object) secretAttribute(typ uint) ([]byte, error) {
	switch typ {
	case attrKeyType:
		return Ulong(o.secret.keyType), nil
	case attrKeyGenMechanism:
		return Ulong(o.secret.mechanism), nil
	case attrValueLen:
		return Ulong(uint(len(o.secret.value))), nil
	case attrSensitive:
		return boolean(o.secret.sensitive), nil
	case attrExtractable:
		return boolean(o.secret.extractable), nil
	case attrLocal, attrAlwaysSensitive, attrNeverExtractable, attrEncrypt, attrDecrypt, attrWrap, attrUnwrap,
		attrSign, attrVerify, attrDerive:
		return boolean(false), nil
	case attrStartDate, attrEndDate:
		return nil, nil
	case attrValue:
		if o.secret.sensitive || !o.secret.extractable {
			return nil, AttributeSensitive
		}
		return bytes.Clone(o.secret.value), nil // the key is wiped when it goes
	}
	return nil, AttributeTypeInvalid
}

func (o *object) keyAttribute(typ uint) ([]byte, error) {
	switch typ {
	case attrKeyType:
		if o.size() == 64 {
			return Ulong(keyGOST512), nil
		}
		return Ulong(keyGOST256), nil
	case attrGOSTR3410Params:
		return oidDER(o.ParamSet)
	case attrGOSTR3411Params:
		return oidDER(digestOID(o.size()))
	case attrGOSTR3410Params12:
		if o.size() == 64 {
			return oidDER(o.ParamSet)
		}
		return nil, AttributeTypeInvalid
	case attrLocal:
		return boolean(o.Generated), nil
	case attrKeyGenMechanism:
		switch {
		case !o.Generated:
			return Ulong(unavailable), nil
		case o.size() == 64:
			return Ulong(mechKeyPairGen512), nil
		}
		return Ulong(mechKeyPairGen256), nil
	case attrDerive:
		return boolean(o.Usage&soft.Derive != 0), nil
	case attrSubject, attrStartDate, attrEndDate:
		return nil, nil
	}
	if o.privateKey() {
		return o.privateAttribute(typ)
	}
	switch typ {
	case attrValue:
		return o.Value, nil
	case attrVerify:
		return boolean(o.Usage&soft.Sign != 0), nil
	case attrEncrypt, attrWrap, attrVerifyRecover, attrTrusted:
		return boolean(false), nil
	}
	return nil, AttributeTypeInvalid
}

func (o *object) privateAttribute(typ uint) ([]byte, error) {
	switch typ {
	case attrValue:
		return nil, AttributeSensitive
	case attrSensitive:
		return boolean(true), nil
	case attrAlwaysSensitive, attrNeverExtractable:
		return boolean(o.Generated), nil
	case attrSign:
		return boolean(o.Usage&soft.Sign != 0), nil
	case attrExtractable, attrDecrypt, attrUnwrap, attrSignRecover, attrWrapWithTrusted:
		return boolean(false), nil
	case attrAlwaysAuth:
		return boolean(o.Usage&soft.Confirm != 0), nil
	}
	return nil, AttributeTypeInvalid
}

// matches reports whether an object has all the attributes of a template.
func (o *object) matches(template []Attribute) bool {
	for _, a := range template {
		value, err := o.attribute(a.Type)
		if err != nil || !bytes.Equal(value, a.Value) {
			return false
		}
	}
	return true
}

// refresh gives handles to what is on the token now, and takes them from what is
// gone. m.mu is held.
func (m *Module) refresh(slot *slot) error {
	objects, err := slot.token.Objects()
	if err != nil {
		return rv(err)
	}
	seen := make(map[string]bool)
	for _, o := range objects {
		seen[o.Name] = true
		m.keep(slot, o)
	}
	for name, h := range slot.handles {
		if !seen[name] {
			delete(slot.objects, h)
			delete(slot.handles, name)
		}
	}
	return nil
}

// keep gives a handle to an object of a token. An object that has one may have a new
// label by now.
func (m *Module) keep(slot *slot, o soft.Object) uint {
	h, ok := slot.handles[o.Name]
	if ok {
		// Operations hold the old one, which does not change under them.
		slot.objects[h] = &object{Object: o, key: slot.objects[h].key}
		return h
	}
	m.next++
	slot.handles[o.Name], slot.objects[m.next] = m.next, &object{Object: o}
	return m.next
}

// put adds an object of a session.
func (m *Module) put(s *session, slot *slot, o *object) (uint, error) {
	if len(slot.objects) >= maxSessionObjects {
		return 0, DeviceMemory
	}
	o.session = s.handle
	m.next++
	slot.objects[m.next] = o
	return m.next, nil
}

// object returns what a handle means, in a session. m.mu is held.
func (s *slot) object(handle uint) (*object, error) {
	o, ok := s.objects[handle]
	if !ok || o.private() && s.token.Role() != soft.User {
		return nil, ObjectHandleInvalid
	}
	return o, nil
}

// Attributes returns the values of attributes of an object, in order. Where there is
// none, errs has why: AttributeTypeInvalid or AttributeSensitive.
func (m *Module) Attributes(session, handle uint, types []uint) (values [][]byte, errs []error, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, slot, err := m.lockedSession(session)
	if err != nil {
		return nil, nil, err
	}
	o, err := slot.object(handle)
	if err != nil {
		return nil, nil, err
	}
	for _, typ := range types {
		value, err := o.attribute(typ)
		if typ == attrValue && o.sealed() {
			if value, err = slot.token.Data(o.Object); err != nil {
				err = rv(err)
			}
		}
		values, errs = append(values, value), append(errs, err)
	}
	return values, errs, nil
}

// SetAttributes changes the label and the identifier of an object.
func (m *Module) SetAttributes(session, handle uint, template []Attribute) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(session)
	if err != nil {
		return err
	}
	o, err := slot.object(handle)
	if err != nil {
		return err
	}
	label, id := o.Label, o.ID
	for _, a := range template {
		switch a.Type {
		case attrLabel:
			label = string(a.Value)
		case attrID:
			id = bytes.Clone(a.Value)
		default:
			return AttributeReadOnly
		}
	}
	if o.session != 0 {
		changed := *o
		changed.Label, changed.ID = label, id
		slot.objects[handle] = &changed
		return nil
	}
	if !s.rw {
		return SessionReadOnly
	}
	renamed, err := slot.token.Rename(o.Name, label, id)
	if err != nil {
		return rv(err)
	}
	m.keep(slot, renamed)
	return nil
}

// Destroy removes an object.
func (m *Module) Destroy(session, handle uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(session)
	if err != nil {
		return err
	}
	o, err := slot.object(handle)
	if err != nil {
		return err
	}
	if o.session == 0 {
		if !s.rw {
			return SessionReadOnly
		}
		if err := slot.token.Remove(o.Name); err != nil {
			return rv(err)
		}
		delete(slot.handles, o.Name)
	}
	o.wipe()
	delete(slot.objects, handle)
	return nil
}

// FindInit starts a search for the objects with all the attributes of a template.
func (m *Module) FindInit(handle uint, template []Attribute) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found != nil {
		return OperationActive
	}
	if err := m.refresh(slot); err != nil {
		return err
	}
	found := []uint{}
	for h := range slot.objects {
		if o, err := slot.object(h); err == nil && o.matches(template) {
			found = append(found, h)
		}
	}
	slices.Sort(found)
	s.found = found
	return nil
}

// Find returns up to limit more handles of the search.
func (m *Module) Find(handle, limit uint) ([]uint, error) {
	s, _, err := m.session(handle)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		return nil, OperationNotInitialized
	}
	n := min(limit, uint(len(s.found)))
	out := s.found[:n]
	s.found = s.found[n:]
	return out, nil
}

// FindFinal ends the search.
func (m *Module) FindFinal(handle uint) error {
	s, _, err := m.session(handle)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		return OperationNotInitialized
	}
	s.found = nil
	return nil
}

// names takes the issuer, the subject and the serial number, each as DER, out of a
// certificate; RFC 5280, Section 4.1.
func names(der []byte) (issuer, subject, serial []byte, ok bool) {
	var (
		in, cert, tbs  cryptobyte.String = der, nil, nil
		iss, sub, num  cryptobyte.String
		version, other = tag.Tag(0).ContextSpecific().Constructed(), tag.SEQUENCE
	)
	ok = in.ReadASN1(&cert, tag.SEQUENCE) && in.Empty() &&
		cert.ReadASN1(&tbs, tag.SEQUENCE) &&
		tbs.SkipOptionalASN1(version) &&
		tbs.ReadASN1Element(&num, tag.INTEGER) &&
		tbs.SkipASN1(other) && // signature
		tbs.ReadASN1Element(&iss, tag.SEQUENCE) &&
		tbs.SkipASN1(other) && // validity
		tbs.ReadASN1Element(&sub, tag.SEQUENCE)
	return iss, sub, num, ok
}

// ulongSize is the length in bytes of CK_ULONG, unsigned long on a Unix system of 64
// bits; the library is made for no other.
const ulongSize = 8

// Ulong returns a value of CK_ULONG in memory.
func Ulong(v uint) []byte { return binary.NativeEndian.AppendUint64(nil, uint64(v)) }

// readUlong is the inverse of Ulong.
func readUlong(b []byte) (uint, bool) {
	if len(b) != ulongSize {
		return 0, false
	}
	return uint(binary.NativeEndian.Uint64(b)), true
}

func boolean(v bool) []byte {
	if v {
		return []byte{1}
	}
	return []byte{0}
}

func oidDER(oid asn1.ObjectIdentifier) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(oid)
	der, err := b.Bytes()
	if err != nil {
		return nil, GeneralError
	}
	return der, nil
}

// digestOID is the hash of keys of a size: there is one for each.
func digestOID(size int) asn1.ObjectIdentifier {
	if size == 64 {
		return asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 3}
	}
	return asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 2}
}
