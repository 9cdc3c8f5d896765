package tokens

import (
	"bytes"

	"propusk/pki/reason"
)

const (
	classData   = 0x0
	attrPrivate = 0x2

	// maxData is how long a secret may be, in bytes.
	maxData = 64 << 10
)

// Data returns the content of the one private data object (CKO_DATA) with a label, for
// example a password that another system knows. The caller wipes it.
//
// The error is a *reason.Error: reason.TokenObjectAbsent, reason.TokenAmbiguous,
// reason.TokenDataPublic if anybody could read the object without the PIN, or what the
// library said.
func (s *Session) Data(label string) ([]byte, error) {
	var content []byte
	err := s.do(func(lib library) error {
		objects, err := lib.find(s.handle, []attribute{{attrClass, number(classData)}, {attrLabel, []byte(label)}})
		if err != nil {
			return err
		}
		switch {
		case len(objects) == 0:
			return reason.Errorf(reason.TokenObjectAbsent, "no data object %q", label)
		case len(objects) > 1:
			return reason.Errorf(reason.TokenAmbiguous, "%d data objects %q", len(objects), label)
		}
		private, err := lib.attribute(s.handle, objects[0], attrPrivate)
		if err != nil {
			return err
		}
		if !bytes.Equal(private, []byte{1}) {
			return reason.Errorf(reason.TokenDataPublic, "data object %q", label)
		}
		content, err = lib.attribute(s.handle, objects[0], attrValue)
		if err == nil && len(content) > maxData {
			clear(content)
			return reason.Errorf(reason.TokenFailed, "data object %q has %d bytes", label, len(content))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return content, nil
}
