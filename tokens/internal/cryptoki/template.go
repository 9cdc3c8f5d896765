package cryptoki

import (
	"bytes"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"

	"propusk/gost/gost3410"
	"propusk/tokens/soft"
)

// template is what an application wants of a new object. Attributes are taken out
// one by one; what is left over must be what the object has anyway.
type template map[uint][]byte

// newTemplate refuses a template with an attribute twice.
func newTemplate(attributes []Attribute) (template, error) {
	t := make(template, len(attributes))
	for _, a := range attributes {
		if _, ok := t[a.Type]; ok {
			return nil, TemplateInconsistent
		}
		t[a.Type] = a.Value
	}
	return t, nil
}

// take takes an attribute out; nil if there is none.
func (t template) take(typ uint) []byte {
	value := t[typ]
	delete(t, typ)
	return value
}

// flag takes a boolean out.
func (t template) flag(typ uint, otherwise bool) (bool, error) {
	value, ok := t[typ]
	if !ok {
		return otherwise, nil
	}
	delete(t, typ)
	if len(value) != 1 || value[0] > 1 {
		return false, AttributeValueInvalid
	}
	return value[0] == 1, nil
}

// ulong takes a number out.
func (t template) ulong(typ, otherwise uint) (uint, error) {
	value, ok := t[typ]
	if !ok {
		return otherwise, nil
	}
	delete(t, typ)
	n, ok := readUlong(value)
	if !ok {
		return 0, AttributeValueInvalid
	}
	return n, nil
}

// fits reports, as an error, whether what is left over of the template is what the
// object has. A private key knows its value, but does not tell it.
func (t template) fits(o *object) error {
	for typ, value := range t {
		has, err := o.attribute(typ)
		if err != nil {
			return AttributeTypeInvalid
		}
		switch typ {
		case attrSubject, attrStartDate, attrEndDate, attrTrusted, attrCategory, attrModifiable, attrCopyable,
			attrDestroyable:
			// Notes of an application that the token does not keep, except that the
			// names of a certificate are those in it.
			if typ != attrSubject || o.Class != soft.Certificate {
				continue
			}
		}
		if !bytes.Equal(has, value) {
			return TemplateInconsistent
		}
	}
	return nil
}

// paramSet takes the parameters of a key out: the DER of an identifier. The numbers
// of JaCarta for keys of 512 bits are taken too.
func (t template) paramSet() (asn1.ObjectIdentifier, error) {
	der := t.take(attrGOSTR3410Params)
	if der == nil {
		der = t.take(attrGOSTR3410Params12)
	}
	if der == nil {
		return nil, TemplateIncomplete
	}
	var oid asn1.ObjectIdentifier
	in := cryptobyte.String(der)
	if !in.ReadASN1ObjectIdentifier(&oid) || !in.Empty() {
		return nil, AttributeValueInvalid
	}
	if _, err := gost3410.CurveByParamSet(oid); err != nil {
		return nil, AttributeValueInvalid
	}
	return oid, nil
}

// usage takes what a key is for out. What is not said is allowed.
func (t template) usage(sign uint) (soft.Usage, error) {
	var usage soft.Usage
	for _, f := range []struct {
		attr uint
		bit  soft.Usage
	}{{sign, soft.Sign}, {attrDerive, soft.Derive}} {
		on, err := t.flag(f.attr, true)
		if err != nil {
			return 0, err
		}
		if on {
			usage |= f.bit
		}
	}
	if sign != attrSign {
		return usage, nil
	}
	confirm, err := t.flag(attrAlwaysAuth, false)
	if confirm {
		usage |= soft.Confirm
	}
	return usage, err
}

// Create makes an object of a template: a certificate, a public key, or a private
// key that came from elsewhere.
func (m *Module) Create(handle uint, attributes []Attribute) (uint, error) {
	t, err := newTemplate(attributes)
	if err != nil {
		return 0, err
	}
	onToken, err := t.flag(attrToken, false)
	if err != nil {
		return 0, err
	}
	class, err := t.ulong(attrClass, unavailable)
	if err != nil {
		return 0, err
	}
	var (
		o   = &object{Object: soft.Object{Label: string(t.take(attrLabel)), ID: t.take(attrID)}}
		key *gost3410.PrivateKey
	)
	switch class {
	case classCertificate:
		o.Class, o.Value = soft.Certificate, t.take(attrValue)
		if len(o.Value) == 0 {
			return 0, TemplateIncomplete
		}
		if _, _, _, ok := names(o.Value); !ok {
			return 0, AttributeValueInvalid
		}
	case classData:
		err = t.data(o)
	case classPublicKey:
		err = t.publicKey(o)
	case classPrivateKey:
		key, err = t.privateKey(o)
	case unavailable:
		return 0, TemplateIncomplete
	default:
		return 0, AttributeValueInvalid
	}
	if err != nil {
		return 0, err
	}
	if !onToken {
		o.session = handle
	}
	if err := t.fits(o); err != nil {
		return 0, err
	}
	return m.add(handle, o, key)
}

// data fills in data, which anybody may read unless the template says that it is
// private.
func (t template) data(o *object) error {
	o.Class, o.Value, o.Application = soft.Data, bytes.Clone(t.take(attrValue)), string(t.take(attrApplication))
	if len(o.Value) > soft.MaxData {
		return AttributeValueInvalid
	}
	var err error
	o.Private, err = t.flag(attrPrivate, false)
	return err
}

// publicKey fills in a public key.
func (t template) publicKey(o *object) error {
	set, err := t.paramSet()
	if err != nil {
		return err
	}
	curve, err := gost3410.CurveByParamSet(set)
	if err != nil {
		return AttributeValueInvalid
	}
	value := t.take(attrValue)
	if value == nil {
		return TemplateIncomplete
	}
	o.public, err = gost3410.NewPublicKey(curve, value)
	if err != nil {
		return AttributeValueInvalid
	}
	o.Class, o.ParamSet, o.Value = soft.PublicKey, set, o.public.Bytes()
	o.Usage, err = t.usage(attrVerify)
	return err
}

// privateKey fills in a private key.
func (t template) privateKey(o *object) (*gost3410.PrivateKey, error) {
	set, err := t.paramSet()
	if err != nil {
		return nil, err
	}
	curve, err := gost3410.CurveByParamSet(set)
	if err != nil {
		return nil, AttributeValueInvalid
	}
	value := t.take(attrValue)
	if value == nil {
		return nil, TemplateIncomplete
	}
	key, err := gost3410.NewPrivateKey(curve, value)
	if err != nil {
		return nil, AttributeValueInvalid
	}
	o.Class, o.ParamSet, o.Value = soft.PrivateKey, set, key.PublicKey().Bytes()
	o.Usage, err = t.usage(attrSign)
	return key, err
}

// add puts a new object where it belongs.
func (m *Module) add(handle uint, o *object, key *gost3410.PrivateKey) (uint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return 0, err
	}
	if err := s.mayAdd(slot, o); err != nil {
		return 0, err
	}
	if o.session != 0 {
		if key != nil {
			o.key = key
		}
		return m.put(s, slot, o)
	}
	var added soft.Object
	if o.privateKey() {
		added, err = slot.token.Import(key, soft.KeyTemplate{ParamSet: o.ParamSet, Label: o.Label, ID: o.ID, Usage: o.Usage})
	} else {
		added, err = slot.token.Add(o.Object)
	}
	if err != nil {
		return 0, rv(err)
	}
	return m.keep(slot, added), nil
}

// mayAdd reports, as an error, whether a session may have such an object. Private
// objects, and whatever stays on the token, are the user's.
func (s *session) mayAdd(slot *slot, o *object) error {
	switch {
	case o.session == 0 && !s.rw:
		return SessionReadOnly
	case (o.session == 0 || o.private()) && slot.token.Role() != soft.User:
		return UserNotLoggedIn
	case o.privateKey() && o.Usage&^soft.Confirm == 0: // the token would take it for all
		return TemplateInconsistent
	}
	return nil
}

// GenerateKeyPair makes a pair of keys, both on the token or both in the session, and
// returns their handles. The parameters may be in either template.
func (m *Module) GenerateKeyPair(handle uint, mechanism Mechanism, public, private []Attribute) (pub, priv uint, err error) {
	size := 0
	switch mechanism.Type {
	case mechKeyPairGen256:
		size = 32
	case mechKeyPairGen512:
		size = 64
	default:
		return 0, 0, MechanismInvalid
	}
	if len(mechanism.Param) != 0 {
		return 0, 0, MechanismParamInvalid
	}
	pubTemplate, err := newTemplate(public)
	if err != nil {
		return 0, 0, err
	}
	privTemplate, err := newTemplate(private)
	if err != nil {
		return 0, 0, err
	}
	pubKey, privKey := &object{}, &object{}
	if err := pairTemplate(pubTemplate, privTemplate, pubKey, privKey, size, handle); err != nil {
		return 0, 0, err
	}
	curve, err := gost3410.CurveByParamSet(pubKey.ParamSet)
	if err != nil {
		return 0, 0, AttributeValueInvalid
	}
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		return 0, 0, FunctionFailed
	}
	pubKey.Value, privKey.Value = key.PublicKey().Bytes(), key.PublicKey().Bytes()
	for _, p := range []struct {
		t template
		o *object
	}{{pubTemplate, pubKey}, {privTemplate, privKey}} {
		if err := p.t.fits(p.o); err != nil {
			return 0, 0, err
		}
	}
	return m.addPair(handle, pubKey, privKey, key)
}

// pairTemplate reads both templates into both objects.
func pairTemplate(pubTemplate, privTemplate template, pub, priv *object, size int, handle uint) error {
	set, err := pubTemplate.paramSet()
	if other, oerr := privTemplate.paramSet(); oerr == nil {
		if err == nil && !set.Equal(other) {
			return TemplateInconsistent
		}
		set, err = other, nil
	}
	if err != nil {
		return err
	}
	curve, err := gost3410.CurveByParamSet(set)
	if err != nil || curve.Size() != size {
		return AttributeValueInvalid
	}
	for _, p := range []struct {
		t     template
		o     *object
		class soft.Class
		sign  uint
	}{{pubTemplate, pub, soft.PublicKey, attrVerify}, {privTemplate, priv, soft.PrivateKey, attrSign}} {
		onToken, err := p.t.flag(attrToken, false)
		if err != nil {
			return err
		}
		if !onToken {
			p.o.session = handle
		}
		usage, err := p.t.usage(p.sign)
		if err != nil {
			return err
		}
		p.o.Object = soft.Object{
			Class: p.class, Label: string(p.t.take(attrLabel)), ID: p.t.take(attrID),
			ParamSet: set, Usage: usage, Generated: true,
		}
	}
	if (pub.session == 0) != (priv.session == 0) {
		return TemplateInconsistent
	}
	return nil
}

// addPair puts both keys where they belong.
func (m *Module) addPair(handle uint, pub, priv *object, key *gost3410.PrivateKey) (pubHandle, privHandle uint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return 0, 0, err
	}
	if err := s.mayAdd(slot, priv); err != nil {
		return 0, 0, err
	}
	if priv.session != 0 {
		priv.key = key
		if pubHandle, err = m.put(s, slot, pub); err != nil {
			return 0, 0, err
		}
		privHandle, err = m.put(s, slot, priv)
		return pubHandle, privHandle, err
	}
	added, err := slot.token.AddPair(key, pub.Object, priv.Object)
	if err != nil {
		return 0, 0, rv(err)
	}
	return m.keep(slot, added[0]), m.keep(slot, added[1]), nil
}
