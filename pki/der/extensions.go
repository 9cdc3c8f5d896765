package der

// The ways in which Extensions fail to be extensions.
const (
	ErrExtensions   Error = "no extensions, or too many"
	ErrOneExtension Error = "extension occurs twice"
)

// Extensions reads Extensions (RFC 5280, Section 4.1): at least one, at most limit,
// none twice. It calls read with each, in order, until there is an error. The flag
// critical may be written out as FALSE, as authorities do.
func (r *Reader) Extensions(limit int, read func(id OID, critical bool, value Reader)) {
	list := r.Sequence()
	var seen []OID
	for list.More() {
		one := list.Sequence()
		id := one.OID()
		critical := one.DefaultFalseLenient()
		value := one.OctetString()
		one.End()
		for _, other := range seen {
			if string(other) == string(id) {
				list.Fail(ErrOneExtension)
			}
		}
		if len(seen) == limit {
			list.Fail(ErrExtensions)
		}
		if !list.Ok() {
			return
		}
		seen = append(seen, id)
		read(id, critical, list.Inside(value))
	}
	if len(seen) == 0 {
		list.Fail(ErrExtensions)
	}
}
