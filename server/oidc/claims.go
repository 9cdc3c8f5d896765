package oidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/level"
)

// claimCert names the certificate by which a person has signed in.
const claimCert = "cert_sha256"

// claims are what a service learns beside the standard claims of the token. The
// scope openid gives the kind, the certificate and the visit; profile the name, the
// identifiers and the taxpayer; email the address, and whether anybody has verified it.
func (g *grant) claims() map[string]any {
	who := g.login.Identity
	m := map[string]any{"kind": string(who.Kind)}
	if g.login.byKey() {
		m[claimCert] = hex.EncodeToString(g.login.CertSHA256[:])
	}
	add(m, "sid", g.login.SID)
	if slices.Contains(g.req.Scopes, "profile") {
		add(m, "name", who.Name.Reveal())
		add(m, "organization", who.Organization.Reveal())
		add(m, "inn", who.INN.Reveal())
		add(m, "innle", who.INNLE.Reveal())
		add(m, "ogrn", who.OGRN.Reveal())
		add(m, "ogrnip", who.OGRNIP.Reveal())
		add(m, "snils", who.SNILS.Reveal())
		if g.login.Taxpayer != nil {
			m["taxpayer"] = g.login.Taxpayer.claims()
		}
	}
	if slices.Contains(g.req.Scopes, "email") && who.Email.Reveal() != "" {
		m["email"], m["email_verified"] = who.Email.Reveal(), g.login.EmailVerified
	}
	return m
}

// byKey reports whether what counts is the proof of a key, and not of something weaker in
// the same visit.
func (who Login) byKey() bool { return who.Level >= level.Mobile }

// claims are the claim taxpayer (BY-09).
func (t *Taxpayer) claims() map[string]any {
	m := map[string]any{"kind": string(t.Kind)}
	add(m, "name", t.Name.Reveal())
	add(m, "inn", t.INN.Reveal())
	add(m, "innle", t.INNLE.Reveal())
	add(m, "ogrn", t.OGRN.Reveal())
	add(m, "ogrnip", t.OGRNIP.Reveal())
	return m
}

// add adds a claim unless it is empty.
func add(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// subject returns the claim sub: the same for the same person at the same service
// whatever the certificate, and different between services (OpenID Connect Core
// 1.0, Section 8.1). It rests on identifiers that a renewed certificate repeats:
// the ИНН of the person, or the СНИЛС where there is none, and for a legal entity
// its ОГРН as well. An identity without them gets no subject.
func (p *Provider) subject(clientID string, who person.Identity) (string, error) {
	id, sort := who.INN.Reveal(), "inn"
	if id == "" {
		id, sort = who.SNILS.Reveal(), "snils"
	}
	if id == "" {
		return "", reason.Errorf(reason.PersonINNMissing, "the certificate has neither ИНН nor СНИЛС of a person")
	}
	mac := hmac.New(sha256.New, p.opts.SubjectSecret)
	for _, part := range []string{"propusk sub 1", clientID, string(who.Kind), who.OGRN.Reveal(), sort, id} {
		// The length in front keeps neighbours apart.
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}
