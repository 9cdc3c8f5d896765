package gostx509

import (
	"encoding/asn1"
	"strings"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Identity says who the holder is, from the identifiers of the subject and never
// from the common name (DOMAIN 2.2). An error is a *reason.Error:
// reason.IdentifierBad when an identifier has a wrong length or check digits,
// reason.HolderAmbiguous when one occurs twice with different values,
// reason.HolderUnclear when they contradict each other.
//
// A certificate without any identifier is of kind Other. Whether mandatory
// attributes are present is a question for package qualified.
func (c *Certificate) Identity() (person.Identity, error) {
	d := c.known()
	if d == nil || !d.subject.is(c.Subject) || d.isCA != c.IsCA {
		return c.identity()
	}
	d.holder.Do(func() { d.who, d.whoErr = c.identity() })
	return d.who, d.whoErr
}

func (c *Certificate) identity() (person.Identity, error) {
	s := identifiers{name: c.Subject}
	who := person.Identity{
		INNLE:  parseID(&s, OIDINNLE, person.ParseINNLE),
		OGRN:   parseID(&s, OIDOGRN, person.ParseOGRN),
		OGRNIP: parseID(&s, OIDOGRNIP, person.ParseOGRNIP),
		SNILS:  parseID(&s, OIDSNILS, person.ParseSNILS),
	}
	s.taxNumber(&who)
	if s.err != nil {
		return person.Identity{}, s.err
	}
	kind, err := c.kind(who)
	if err != nil {
		return person.Identity{}, err
	}
	who.Kind = kind
	c.describe(&who)
	return who, nil
}

// identifiers reads the identifiers of a subject; the first error sticks.
type identifiers struct {
	name Name
	err  error
}

// one returns the single value of an attribute, "" if there is none. Repeating
// the same value is harmless.
func (s *identifiers) one(id asn1.ObjectIdentifier) string {
	value := ""
	for _, v := range s.name.All(id) {
		if value != "" && v != value {
			s.fail(reason.Errorf(reason.HolderAmbiguous, "gostx509: attribute %v has different values", id))
			return ""
		}
		value = v
	}
	return value
}

func (s *identifiers) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// parseID parses the single value of an attribute with one of the parsers of
// package person.
func parseID[T any](s *identifiers, id asn1.ObjectIdentifier, parse func(string) (T, error)) T {
	var zero T
	text := s.one(id)
	if text == "" || id.Equal(OIDINNLE) && s.reasonCode(text) {
		return zero
	}
	v, err := parse(text)
	if err != nil {
		s.fail(reason.Errorf(reason.IdentifierBad, "gostx509: attribute %v: %w", id, err))
		return zero
	}
	return v
}

// reasonCode reports whether the value of INNLE is really a КПП of 9 digits
// beside a tax number in the old form: five certificates of one CA are so. The
// КПП identifies nobody and is left out.
func (s *identifiers) reasonCode(innle string) bool {
	return len(innle) == 9 && strings.HasPrefix(s.name.Get(OIDINN), "00")
}

// taxNumber reads the attribute INN: twelve digits of a natural person, or, in
// certificates made before 2021-09, "00" and the ten digits of a legal entity.
func (s *identifiers) taxNumber(who *person.Identity) {
	text := s.one(OIDINN)
	if legal, old := strings.CutPrefix(text, "00"); old {
		inn, err := person.ParseINNLE(legal)
		if err != nil {
			s.fail(reason.Errorf(reason.IdentifierBad, "gostx509: attribute %v: %w", OIDINN, err))
			return
		}
		if !who.INNLE.IsZero() && who.INNLE != inn {
			s.fail(reason.Errorf(reason.HolderAmbiguous, "gostx509: INN and INNLE name different legal entities"))
		}
		who.INNLE = inn
		return
	}
	who.INN = parseID(s, OIDINN, person.ParseINN)
}

// kind is the classifier of DOMAIN 2.2.
func (c *Certificate) kind(who person.Identity) (person.Kind, error) {
	named := !who.INN.IsZero() || !who.SNILS.IsZero() ||
		c.Subject.Get(OIDSurname) != "" || c.Subject.Get(OIDGivenName) != ""
	legal := !who.OGRN.IsZero() || !who.INNLE.IsZero()
	switch {
	case c.IsCA:
		return person.Authority, nil
	case !who.OGRNIP.IsZero() && legal:
		return "", reason.Errorf(reason.HolderUnclear, "gostx509: identifiers of an entrepreneur and of a legal entity together")
	case !who.OGRNIP.IsZero():
		return person.Entrepreneur, nil
	case legal && named:
		return person.LegalEntity, nil
	case legal:
		return person.LegalEntityAuto, nil
	case !who.INN.IsZero() || !who.SNILS.IsZero():
		return person.Person, nil
	default:
		return person.Other, nil
	}
}

// describe fills in the names, without characters that could deceive the eye.
func (c *Certificate) describe(who *person.Identity) {
	get := func(id asn1.ObjectIdentifier) string { return visibly(c.Subject.Get(id)) }
	full := strings.TrimSpace(get(OIDSurname) + " " + get(OIDGivenName))
	if full == "" {
		full = get(OIDCommonName)
	}
	who.Name = person.NewName(full)
	who.Title = person.NewName(get(OIDTitle))
	who.Email = person.NewEmail(get(OIDEmail))
	who.Organization = person.NewName(get(OIDOrganization))
}
