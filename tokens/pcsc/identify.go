package pcsc

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"unicode"
	"unicode/utf8"

	"propusk/pki/reason"
	"propusk/tokens/internal/iso7816"
)

// Identity is who a token or a card says it is.
type Identity struct {
	Reader string
	ATR    []byte
	Family Family // empty if it is not known

	// Model is the name of the model as the token has it, in Russian: "Рутокен ЭЦП 3.0
	// 5100 Flash". It is empty if the token has none to tell.
	Model string

	// Serial is the serial number as CK_TOKEN_INFO has it, in hex; it may be empty.
	Serial string

	// FreeMemory is in bytes; 0 if it is not known.
	FreeMemory int

	// User and Officer are the PINs; the zero value is one that nothing is known of.
	User, Officer PIN

	// MustChange says that the token wants another PIN before it does anything.
	MustChange bool

	// GOST says whether a token of a family that [SignsByApplet] has the applet that
	// signs. It is true for a family that [Signs].
	GOST bool

	// Unasked says that the token was not asked what it has, because another program
	// uses it and the question would disturb that one.
	Unasked bool
}

// PIN is how a PIN stands, as a token says without being given one.
type PIN struct {
	Known     bool // the rest says something
	Factory   bool // it is still the one that everybody knows
	MinLength int  // bytes
	Tries     int  // wrong ones in a row that lock it
	Left      int  // tries that are left; 0 is locked
}

// Identify asks the card in a reader who it is; an empty name is the only reader with a
// card. No PIN is needed and no try of one is used: nothing is sent but reading of public
// data. A card of a family that has nothing to ask is told by its ATR alone, as is a mute
// one by the name of its reader.
//
// The UEC is recognised, and reason.CardUEC says what it needs; that is not an error
// here.
func Identify(ctx context.Context, reader string) (Identity, error) {
	s, err := dial(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer s.close()
	r, k, err := connect(s, reader)
	id := Identity{Reader: r.Name, ATR: r.ATR}
	if family, ok := FamilyOf(r.ATR); ok {
		id.Family = family
	} else if family, ok := FamilyOfReader(r.Name); ok {
		id.Family = family
	}
	id.GOST = id.Family.About().Signing == Signs
	if errors.Is(err, reason.CardMute) && id.Family != "" {
		return id, nil
	}
	if err != nil {
		return Identity{}, err
	}
	ask := questions(id.Family)
	if id.Family.About().Signing == SignsByApplet && r.InUse {
		// To select an applet would end what another program does with its own.
		id.Unasked, ask = true, nil
	}
	if ask != nil {
		err = ask(k, &id)
	}
	if err := errors.Join(err, k.Close()); err != nil {
		return Identity{}, err
	}
	return id, nil
}

// questions returns how to ask a family; nil if there is nothing to ask.
func questions(f Family) func(card, *Identity) error {
	switch f {
	case RutokenECP, RutokenECP3, Rutoken2151, RutokenPINPad, RutokenLite:
		return askRutoken
	case JaCarta, ETokenJava:
		return askApplet
	}
	return nil
}

// ask sends a command. A refusal of the card is nil: not every model knows every
// question.
func ask(k card, c iso7816.Command) ([]byte, error) {
	b, err := k.Transmit(c.Bytes())
	if err != nil {
		return nil, err
	}
	r, err := iso7816.ParseResponse(b)
	if err != nil {
		return nil, reason.New(reason.TokenFailed, err)
	}
	if r.SW != iso7816.OK {
		return nil, nil
	}
	return slices.Clip(r.Data), nil
}

// askRutoken asks by GET DATA, as Aktiv's library does.
func askRutoken(k card, id *Identity) error {
	var failed error
	get := func(what byte, length int) []byte {
		if failed != nil {
			return nil
		}
		var data []byte
		data, failed = ask(k, iso7816.Command{INS: 0xCA, P1: 0x01, P2: what, Le: length})
		return data
	}
	id.Model = model(get(0x85, 0x80))
	// Of the eight bytes CK_TOKEN_INFO has the last four.
	if serial := get(0x81, 8); len(serial) >= 4 {
		id.Serial = hex.EncodeToString(serial[len(serial)-4:])
	}
	if free := get(0x8A, 4); len(free) == 4 {
		id.FreeMemory = int(binary.BigEndian.Uint32(free))
	}
	id.User, id.Officer = pinOf(get(0x02, 0x26)), pinOf(get(0x01, 0x26))
	id.MustChange = bytes.ContainsFunc(get(0x62, 256), func(r rune) bool { return r != 0 })
	return failed
}

// maxModel limits the name of a model, in bytes: what a card may say ends up on screens.
const maxModel = 128

// model reads the name of a model: UTF-8, up to the first zero.
func model(b []byte) string {
	b, _, _ = bytes.Cut(b[:min(len(b), maxModel)], []byte{0})
	// Neither what a terminal obeys, nor what turns round the text beside it.
	bad := func(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }
	if !utf8.Valid(b) || bytes.ContainsFunc(b, bad) {
		return ""
	}
	return string(bytes.TrimSpace(b))
}

// pinOf reads the template of a PIN: in tag 85 of FCP its kind, least length, flags, and
// tries, those there are and those left.
func pinOf(b []byte) PIN {
	outer, err := iso7816.ParseObjects(b)
	if err != nil || len(outer) != 1 || outer[0].Tag != 0x62 {
		return PIN{}
	}
	template, err := iso7816.ParseObjects(outer[0].Value)
	p := iso7816.Find(template, 0x85)
	if err != nil || len(p) < 4 || p[0] != 0x01 {
		return PIN{}
	}
	return PIN{Known: true, MinLength: int(p[1]), Factory: p[2]&0x80 != 0, Tries: int(p[3] >> 4), Left: int(p[3] & 0x0F)}
}

// askApplet looks whether the applet ГОСТ is there (Криптотокен 1 and 2).
func askApplet(k card, id *Identity) error {
	applet := []byte{0xA0, 0x00, 0x00, 0x04, 0x48, 0x01, 0x01, 0x01, 0x06, 0x02}
	b, err := k.Transmit(iso7816.Command{INS: 0xA4, P1: 0x04, Data: applet}.Bytes())
	if err != nil {
		return err
	}
	r, err := iso7816.ParseResponse(b)
	if err != nil {
		return reason.New(reason.TokenFailed, err)
	}
	id.GOST = r.SW == iso7816.OK || r.SW>>8 == 0x61 // more to fetch, for T=0
	return nil
}
