// Package person names the holder of a certificate: what kind of holder it is,
// and the Russian identifiers ИНН, ОГРН, ОГРНИП and СНИЛС with their check
// digits (DOMAIN 2.2; приказ ФСБ России № 795).
//
// Every value is a type that prints masked through fmt, slog, JSON and
// templates, even deep inside another struct. The only way to the text is
// Reveal, so that a review can find every place that takes it. Two values are
// equal under == if and only if their texts are equal. The zero values are empty.
package person

// Kind is what sort of holder a certificate has. The zero value is unknown.
type Kind string

// The kinds of holders.
const (
	// Entrepreneur is an individual entrepreneur (ИП).
	Entrepreneur Kind = "ip"
	// LegalEntity is a legal entity (ЮЛ) represented by a named person.
	LegalEntity Kind = "ul"
	// LegalEntityAuto is a legal entity without a person: automatic signing.
	LegalEntityAuto Kind = "ul-auto"
	// Person is a natural person (ФЛ).
	Person Kind = "fl"
	// Authority is a certification authority.
	Authority Kind = "ca"
	// Other is a holder that fits no rule.
	Other Kind = "other"
)

// Text returns the name of the kind for pages, in Russian and in English.
func (k Kind) Text() (ru, en string) {
	switch k {
	case Entrepreneur:
		return "индивидуальный предприниматель", "individual entrepreneur"
	case LegalEntity:
		return "юридическое лицо", "legal entity"
	case LegalEntityAuto:
		return "юридическое лицо (автоматическая подпись)", "legal entity (automatic signing)"
	case Person:
		return "физическое лицо", "natural person"
	case Authority:
		return "удостоверяющий центр", "certification authority"
	default:
		return "владелец неизвестного вида", "holder of unknown kind"
	}
}

// Identity is who a certificate names. Fields that the certificate lacks are
// empty. The zero value names nobody.
type Identity struct {
	Kind Kind

	// Name is the full name for display: surname and given names of a person,
	// otherwise the common name.
	Name Name
	// Organization is the name of the legal entity.
	Organization Name
	// Title is the position in the organization.
	Title Name
	// Email is the address from the subject.
	Email Email

	INN    INN    // of the natural person
	INNLE  INNLE  // of the legal entity
	OGRN   OGRN   // of the legal entity
	OGRNIP OGRNIP // of the entrepreneur
	SNILS  SNILS  // of the natural person
}
