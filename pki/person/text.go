package person

// Name is the name of a person or an organization. It prints masked; the zero
// value is empty.
type Name struct{ masked }

// NewName returns a Name with the given text, as it is.
func NewName(text string) Name { return Name{mask(text)} }

// Email is an e-mail address. It prints masked; the zero value is empty.
type Email struct{ masked }

// NewEmail returns an Email with the given text. The text is not checked to be
// an address.
func NewEmail(text string) Email { return Email{mask(text)} }

// Private is any other text that tells something about a person: the address that he came
// from, the name of his document. It prints masked; the zero value is empty.
type Private struct{ masked }

// NewPrivate returns the text as a Private.
func NewPrivate(text string) Private { return Private{mask(text)} }
