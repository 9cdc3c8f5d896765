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
)

// claimCert names the certificate by which a person has signed in.
const claimCert = "cert_sha256"

// claims are what a service learns beside the standard claims of the token. The
// scope openid gives the kind and the certificate; profile the name and the
// identifiers; email the address, which nobody has verified.
func (g *grant) claims() map[string]any {
	who := g.login.Identity
	m := map[string]any{"kind": string(who.Kind), claimCert: hex.EncodeToString(g.login.CertSHA256[:])}
	add := func(name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	if slices.Contains(g.req.Scopes, "profile") {
		add("name", who.Name.Reveal())
		add("organization", who.Organization.Reveal())
		add("inn", who.INN.Reveal())
		add("innle", who.INNLE.Reveal())
		add("ogrn", who.OGRN.Reveal())
		add("ogrnip", who.OGRNIP.Reveal())
		add("snils", who.SNILS.Reveal())
	}
	if slices.Contains(g.req.Scopes, "email") && who.Email.Reveal() != "" {
		m["email"], m["email_verified"] = who.Email.Reveal(), false
	}
	return m
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
