package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/gost/vko"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/pcsc"
)

// How long the speed is measured, and with how many signatures at most: a card makes a
// few a second.
const (
	speedTime       = 2 * time.Second
	speedSignatures = 50
)

// readersDeadline is how long the PC/SC service has to answer.
const readersDeadline = 30 * time.Second

// readers says what the PC/SC service sees.
func (d *doctor) readers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readersDeadline)
	defer cancel()
	all, err := pcsc.List(ctx)
	if err != nil {
		d.sayWhy("readers", unhealthy, err)
		return
	}
	if len(all) == 0 {
		d.sayWhy("readers", unhealthy, reason.New(reason.ReaderAbsent, nil))
		return
	}
	for _, r := range all {
		switch family, known := pcsc.FamilyOf(r.ATR); {
		case r.Mute:
			d.sayWhy("readers", unhealthy, reason.Errorf(reason.CardMute, "%s", r.Name))
		case !r.Present:
			d.say("readers", noted, r.Name+": карты нет.", r.Name+": no card.")
		case known:
			a := family.About()
			d.say("readers", healthy,
				strings.TrimSpace(r.Name+": "+a.RU+". "+a.HelpRU), strings.TrimSpace(r.Name+": "+a.EN+". "+a.HelpEN))
		default:
			d.say("readers", noted,
				r.Name+": карта, которую мы не узнали ("+hex.EncodeToString(r.ATR)+").", r.Name+": a card that we do not recognise ("+hex.EncodeToString(r.ATR)+").")
		}
	}
}

// Numbers of mechanisms (CKM): PKCS #11 v2.40 and the block of TC26.
const (
	ckmSign256 = 0x1201
	ckmSign512 = 0xD4321006
)

// mechanisms says whether the token can sign with GOST R 34.10-2012.
func (d *doctor) mechanisms(token *tokens.Token, about tokens.Model) {
	all, err := token.Mechanisms()
	if err != nil {
		d.sayWhy("mechanisms", unhealthy, err)
		return
	}
	has := map[uint]bool{}
	for _, m := range all {
		has[m.Type] = true
	}
	var sizes []string
	for _, m := range []struct {
		kind   uint
		bits   string
		expect bool
	}{{ckmSign256, "256", about.GOST256}, {ckmSign512, "512", about.GOST512}} {
		switch {
		case has[m.kind]:
			sizes = append(sizes, m.bits)
		case m.expect:
			d.say("mechanisms", unhealthy,
				"Нет ГОСТ Р 34.10-2012 на "+m.bits+" бит, хотя такой токен его умеет. Обновите библиотеку токена.",
				"GOST R 34.10-2012 of "+m.bits+" bits is missing, which such a token has; update its library.")
		}
	}
	if len(sizes) == 0 {
		d.Findings = append(d.Findings, finding{
			Check: "mechanisms", Health: unhealthy, Code: reason.TokenUnsupported,
			RU: "Токен через эту библиотеку не подписывает по ГОСТ Р 34.10-2012. Если ключ в контейнере КриптоПро, возьмите libcppkcs11 или плагин КриптоПро.",
			EN: "Through this library the token does not sign with GOST R 34.10-2012; if the key is in a container of CryptoPro, use libcppkcs11 or its plug-in.",
		})
		return
	}
	bits := strings.Join(sizes, ", ")
	d.say("mechanisms", healthy, "Подписывает по ГОСТ Р 34.10-2012, бит: "+bits+".", "It signs with GOST R 34.10-2012, bits: "+bits+".")
}

// session examines the keys of a token that is logged in.
func (d *doctor) session(s *tokens.Session) {
	d.say("login", healthy, "PIN-код верный.", "The PIN is right.")
	keys, err := s.Keys()
	if err != nil {
		d.sayWhy("keys", unhealthy, err)
		return
	}
	certificates, err := s.Certificates()
	if err != nil {
		d.sayWhy("keys", unhealthy, err)
		return
	}
	if len(keys) == 0 {
		d.sayWhy("keys", unhealthy, reason.Errorf(reason.TokenKeyAbsent, "%d certificates are on the token", len(certificates)))
		return
	}
	d.say("keys", healthy, fmt.Sprintf("Ключей ГОСТ: %d, сертификатов: %d.", len(keys), len(certificates)),
		fmt.Sprintf("Keys of GOST: %d, certificates: %d.", len(keys), len(certificates)))
	d.orphans(keys, certificates)
	for _, k := range keys {
		if d.o.keyID == "" || strings.EqualFold(d.o.keyID, hex.EncodeToString(k.ID())) {
			d.certificatesOf(k)
			d.key(s, k)
			return
		}
	}
	d.sayWhy("keys", unhealthy, reason.Errorf(reason.TokenKeyAbsent, "no key has the identifier %s", d.o.keyID))
}

// orphans are certificates whose key is not on the token.
func (d *doctor) orphans(keys []*tokens.Key, certificates [][]byte) {
	alone := 0
	for _, der := range certificates {
		of := false
		for _, k := range keys {
			for _, own := range k.Certificates() {
				of = of || bytes.Equal(own, der)
			}
		}
		if !of {
			alone++
		}
	}
	if alone > 0 {
		d.say("keys", noted, fmt.Sprintf("Сертификатов без своего ключа: %d. Подписать под ними нельзя.", alone),
			fmt.Sprintf("Certificates without their key: %d; nothing can be signed under them.", alone))
	}
}

// certificatesOf says whether the key has a certificate that may sign.
func (d *doctor) certificatesOf(k *tokens.Key) {
	if len(k.Certificates()) == 0 {
		d.say("certificate", noted,
			"У ключа нет сертификата на токене: назовите его отдельно (--cert).",
			"The key has no certificate on the token: name it with --cert.")
		return
	}
	var why error
	for _, der := range k.Certificates() {
		cert, err := gostx509.Parse(der)
		if err == nil {
			err = cms.Suitable(cert, d.now)
		}
		if err == nil {
			d.say("certificate", healthy, "Сертификат ключа действует до "+cert.NotAfter.Format(time.DateOnly)+".",
				"The certificate of the key is valid until "+cert.NotAfter.Format(time.DateOnly)+".")
			return
		}
		why = err
	}
	d.sayWhy("certificate", unhealthy, why)
}

// key signs, measures, verifies and agrees.
func (d *doctor) key(s *tokens.Session, k *tokens.Key) {
	public, ok := k.Public().(*gost3410.PublicKey)
	if !ok {
		return
	}
	digest := digestOf(public, []byte("propusk token doctor"))
	if k.WantsSignaturePIN() { // perhaps another one than we have, whose tries are few too
		d.say("sign", unknown,
			"Ключ спрашивает PIN-код при каждой подписи, поэтому подпись не проверена.",
			"The key wants a PIN for each signature, so signatures were not examined.")
		return
	}
	signature, err := k.Sign(nil, digest, nil)
	if err != nil {
		d.sayWhy("sign", unhealthy, err)
		return
	}
	// Key.Sign verified it, over the digest and with the key as they are.
	d.say("sign", healthy, "Подпись верна, порядок байтов правильный ("+public.Curve().Name()+").",
		"The signature is right, and so is the order of bytes ("+public.Curve().Name()+").")
	d.speed(k, digest)
	d.verify(s, public, digest, signature)
	d.agree(k, public)
}

// digestOf is the digest that a key of this size signs.
func digestOf(public *gost3410.PublicKey, data []byte) []byte {
	if public.Curve().Size() == streebog.Size512 {
		sum := streebog.Sum512(data)
		return sum[:]
	}
	sum := streebog.Sum256(data)
	return sum[:]
}

// speed measures signatures.
func (d *doctor) speed(k *tokens.Key, digest []byte) {
	start := time.Now()
	n := 0
	for n < speedSignatures && time.Since(start) < speedTime {
		if _, err := k.Sign(nil, digest, nil); err != nil {
			d.sayWhy("speed", unhealthy, err)
			return
		}
		n++
	}
	each := time.Since(start) / time.Duration(n)
	d.SignaturesPerSecond = float64(time.Second) / float64(each)
	d.say("speed", healthy, fmt.Sprintf("Подпись занимает %.1f мс.", float64(each)/1e6), fmt.Sprintf("A signature takes %.1f ms.", float64(each)/1e6))
}

// verify lets the token verify a right signature and a wrong one.
func (d *doctor) verify(s *tokens.Session, public *gost3410.PublicKey, digest, signature []byte) {
	good, err := s.Verify(public, digest, signature)
	if errors.Is(err, reason.TokenUnsupported) {
		d.say("verify", noted, "Сам токен подписи не проверяет: это делает программа.", "The token itself does not verify signatures: the program does.")
		return
	}
	if err != nil {
		d.sayWhy("verify", unhealthy, err)
		return
	}
	wrong := bytes.Clone(signature)
	wrong[0] ^= 1
	bad, err := s.Verify(public, digest, wrong)
	switch {
	case err != nil:
		d.sayWhy("verify", unhealthy, err)
	case bad:
		d.say("verify", unhealthy,
			"Токен признаёт верной испорченную подпись. Не проверяйте им подписи и обновите библиотеку.",
			"The token takes a spoilt signature for a right one; do not verify with it, and update its library.")
	case !good:
		d.say("verify", unhealthy,
			"Токен признаёт неверной верную подпись. Не проверяйте им подписи и обновите библиотеку.",
			"The token takes a right signature for a wrong one; do not verify with it, and update its library.")
	default:
		d.say("verify", healthy, "Токен сам проверяет подписи и отличает верную от испорченной.", "The token verifies signatures itself, and tells a right one from a spoilt one.")
	}
}

// agree lets the token agree on a key with one of ours.
func (d *doctor) agree(k *tokens.Key, public *gost3410.PublicKey) {
	peer, err := gost3410.GenerateKey(public.Curve(), nil)
	if err != nil {
		d.sayWhy("agree", unknown, reason.New(reason.InternalError, err))
		return
	}
	ukm := []byte("doctor\x01\x02")
	got, err := k.VKO256(peer.PublicKey(), ukm)
	if errors.Is(err, reason.TokenUnsupported) {
		d.say("agree", noted,
			"Согласование ключей (VKO) через эту библиотеку недоступно: для входа и подписи оно не нужно.",
			"Key agreement (VKO) is not available through this library: sign-in and signatures do not need it.")
		return
	}
	if err != nil {
		d.sayWhy("agree", noted, err)
		return
	}
	defer clear(got)
	want, err := vko.VKO256(peer, public, ukm)
	if err != nil {
		d.sayWhy("agree", unknown, reason.New(reason.InternalError, err))
		return
	}
	defer clear(want)
	if !bytes.Equal(got, want) {
		d.say("agree", unhealthy,
			"Токен согласует другой ключ, чем вторая сторона. Для ГОСТ TLS он не годится, обновите библиотеку.",
			"The token agrees on another key than the other side does; it is of no use for GOST TLS, update its library.")
		return
	}
	d.say("agree", healthy, "Согласование ключей (VKO) работает.", "Key agreement (VKO) works.")
}
