package agent

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"log/slog"
	"time"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/server/signrequest"
	"propusk/tokens"
)

// choose shows who asks, what will be signed, and the certificates.
func (c *call) choose() error { return c.showChoice(c.look()) }

// find returns the certificate that was chosen, as its token stands now.
func (c *call) find(id string) (candidate, error) {
	for _, one := range c.look().candidates {
		if one.id != id || id == "" {
			continue
		}
		if one.why != "" {
			return candidate{}, reason.New(one.why, nil)
		}
		return one, nil
	}
	return candidate{}, reason.New(reason.AgentCertificateGone, nil)
}

// askPIN shows the form for the PIN.
func (c *call) askPIN() error {
	one, err := c.find(c.r.URL.Query().Get("certificate"))
	if err != nil {
		return err
	}
	return c.showPIN(one, "")
}

// takePIN takes the form for the PIN, and signs. A PIN that did not do is asked for
// again on a new page, with the tries that are left.
func (c *call) takePIN() error {
	f, err := readForm(c.r.Body)
	if err != nil {
		return err
	}
	defer f.wipe()
	if err := c.useForm(f.value("form")); err != nil {
		return err
	}
	// Two tabs may not spend two tries, nor sign twice.
	c.busy.Lock()
	defer c.busy.Unlock()
	if c.answered() {
		return reason.New(reason.AgentRequestUsed, nil)
	}
	one, err := c.find(string(f.value("certificate")))
	if err != nil {
		return err
	}
	signature, err := c.sign(one, f)
	switch code := reason.Of(err); code {
	case "":
	case reason.TokenPINWrong, reason.TokenPINLastTry, reason.AgentPINMissing, reason.AgentSignaturePIN:
		c.logRefusal(code)
		again, err := c.find(one.id)
		if err != nil {
			return err
		}
		return c.showPIN(again, code)
	case reason.AgentKeyMissing:
		c.mark(c.keyless, one.id)
		return err
	default:
		return err
	}
	if !c.finish(answer{signature: base64.StdEncoding.EncodeToString(signature)}) {
		return reason.New(reason.AgentRequestUsed, nil) // cancelled in another tab meanwhile
	}
	c.agent.log.LogAttrs(c.r.Context(), slog.LevelInfo, "signed",
		slog.String("gateway", c.gateway.URL), slog.String("request", c.request.ID), slog.String("purpose", string(c.request.Purpose)))
	c.goTo("/answer")
	return nil
}

func (c *call) logRefusal(code reason.Code) {
	c.agent.log.LogAttrs(c.r.Context(), slog.LevelWarn, "not signed",
		slog.String("gateway", c.gateway.URL), slog.String("request", c.request.ID), slog.String("code", string(code)))
}

// sign enters the PIN and signs. The PIN is sent once.
func (c *call) sign(one candidate, f form) ([]byte, error) {
	pin := f.value("pin")
	if one.device.HasPINPad() {
		pin = nil
	} else if len(pin) == 0 {
		return nil, reason.New(reason.AgentPINMissing, nil)
	}
	session, err := one.device.Login(pin, string(f.value("last_try")) == "yes")
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := session.Close(); closed != nil { // a signature that was made is good all the same
			c.agent.log.LogAttrs(c.r.Context(), slog.LevelDebug, "session did not end", slog.String("err", closed.Error()))
		}
	}()
	key, err := keyOf(session, one.cert)
	if err != nil {
		return nil, err
	}
	key.SetSignaturePIN(func() ([]byte, error) { return c.signaturePIN(one, f) })
	return signRequest(c.request, c.agent.now(), key, one.cert)
}

// signaturePIN is asked for by a token that wants a PIN for each signature. That of the
// token is never tried for it: a wrong one costs a try.
func (c *call) signaturePIN(one candidate, f form) ([]byte, error) {
	if one.device.HasPINPad() {
		return nil, nil
	}
	if pin := f.value("signature_pin"); len(pin) > 0 {
		return bytes.Clone(pin), nil // whoever asked wipes it
	}
	c.mark(c.pinOfItsOwn, one.id)
	return nil, reason.New(reason.AgentSignaturePIN, nil)
}

// keyOf returns the key of a certificate.
func keyOf(s *tokens.Session, cert *gostx509.Certificate) (*tokens.Key, error) {
	keys, err := s.Keys()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(cert.PublicKey) {
			return key, nil
		}
	}
	return nil, reason.Errorf(reason.AgentKeyMissing, "%d keys are on the token", len(keys))
}

// signRequest makes the signature that a request asks for: CAdES-BES, detached, with the
// time of this machine. It says under the signature what it is for, so that one of a
// document, of which a person sees the name alone, can never pass for a sign-in.
func signRequest(r signrequest.Request, now time.Time, key crypto.Signer, cert *gostx509.Certificate) ([]byte, error) {
	by := cms.Signatory{Key: key, Certificate: cert, Time: now, Description: string(r.Purpose)}
	if r.Purpose == signrequest.SignDocument {
		return cms.CreateDigest(nil, cms.Digests{Streebog256: r.Document.Streebog256, Streebog512: r.Document.Streebog512}, by)
	}
	return cms.CreateDetached(nil, bytes.NewReader(r.Content()), by)
}
