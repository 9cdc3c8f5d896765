package crl

// Delta reports whether this is a delta list, which says what has changed since
// the complete list with the number BaseNumber (RFC 5280, Section 5.2.4).
func (l *List) Delta() bool { return l.base != nil }

// BaseNumber is the number of the complete list that a delta list builds on, the
// content of the INTEGER; nil for a complete list.
func (l *List) BaseNumber() []byte { return l.base }

// FreshestCRL returns the addresses of delta lists for this list (RFC 5280, Section
// 5.2.6).
func (l *List) FreshestCRL() []string { return l.freshest }
