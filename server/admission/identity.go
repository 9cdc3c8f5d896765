package admission

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"propusk/pki/person"
)

// same reports whether a certificate may be of the person of an account who has its ИНН. The
// ИНН alone is not enough: it is public, and a CA may have been deceived or mistaken.
//
//   - The certificate is of a person, an entrepreneur or the head of a legal entity.
//   - Two СНИЛС that are known are equal.
//   - The names are equal, but for letter case, ё, hyphens and spaces; where both СНИЛС are
//     known the surname may have changed, as at a marriage.
func same(known, shown person.Identity) bool {
	if !slices.Contains([]person.Kind{person.Person, person.Entrepreneur, person.LegalEntity}, shown.Kind) {
		return false
	}
	if !shown.INN.IsZero() && shown.INN != known.INN {
		return false
	}
	both := !known.SNILS.IsZero() && !shown.SNILS.IsZero()
	if both && known.SNILS != shown.SNILS {
		return false
	}
	old, fresh := words(known.Name), words(shown.Name)
	if known.Name.IsZero() && both {
		return true
	}
	if len(old) == 0 || len(fresh) == 0 {
		return false
	}
	return slices.Equal(old, fresh) || both && len(old) > 1 && slices.Equal(old[1:], fresh[1:])
}

// words returns the words of a name, as two who write it would both write them.
func words(n person.Name) []string {
	text := strings.ReplaceAll(strings.ToUpper(n.Reveal()), "Ё", "Е")
	text = strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Pd, c) {
			return '-'
		}
		return c
	}, text)
	return strings.Fields(text)
}

// enterprise is what the register said about an entrepreneur.
type enterprise struct {
	known bool
	ended time.Time // zero: it goes on
}

// enterpriseWait is how long a sign-in waits for the register.
const enterpriseWait = 3 * time.Second

// enterprise asks whether somebody who shows the certificate of an entrepreneur is one still.
// A register that does not answer changes nothing.
func (a *Admission) enterprise(ctx context.Context, who person.Identity) enterprise {
	if a.opts.Enterprises == nil || who.Kind != person.Entrepreneur || who.OGRNIP.IsZero() {
		return enterprise{}
	}
	ctx, cancel := context.WithTimeout(ctx, enterpriseWait)
	defer cancel()
	ended, err := a.opts.Enterprises.Ended(ctx, who)
	if err != nil {
		return enterprise{}
	}
	return enterprise{true, ended}
}
