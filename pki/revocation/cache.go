package revocation

import (
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
)

// Limits of what is remembered. An answer takes some 5 KB, a million entries of lists
// 20 MB.
const (
	maxAnswers = 8192
	maxAnswer  = 16 << 10 // of one answer, in bytes: whoever sits on the line can add certificates
	maxLists   = 64
	maxEntries = 8 << 20 // of all lists together
)

// subject names a certificate by its issuer's certificate and its own number.
type subject struct {
	issuer [32]byte
	serial string
}

func subjectOf(cert, issuer *gostx509.Certificate) subject {
	return subject{issuer.SHA256(), string(cert.Serial)}
}

// kept is when something that was fetched is asked for again, and dropped.
type kept struct {
	source string
	renew  time.Time
	drop   time.Time
}

// answer is a verified answer of a responder.
type answer struct {
	kept
	response *ocsp.Response
	this     time.Time // thisUpdate of the answer
}

// list is a verified list.
type list struct {
	kept
	set    *crl.Set
	one    *crl.List
	issuer [32]byte // SHA-256 of the certificate that the list verifies with
}

// cache remembers what servers answered. It is not safe for concurrent use.
type cache struct {
	answers map[subject]*answer
	lists   map[string]*list // by address
	entries int              // most entries of all lists together
}

// putAnswer remembers an answer unless a newer one is known, and forgets others when
// there is no more room: those whose time is over, then any. One that is too long to be
// kept is asked for again.
func (c *cache) putAnswer(s subject, a *answer, now time.Time) {
	old := c.answers[s]
	if old != nil && old.this.After(a.this) || len(a.response.Raw) > maxAnswer {
		return
	}
	if old == nil && len(c.answers) >= maxAnswers {
		for key, old := range c.answers {
			if !now.Before(old.drop) {
				delete(c.answers, key)
			}
		}
		for key := range c.answers {
			if len(c.answers) < maxAnswers*7/8 {
				break
			}
			delete(c.answers, key)
		}
	}
	c.answers[s] = a
}

// putList remembers a list, and forgets others when there is no more room: those whose
// time is over, then those that are due soonest. A list too long to leave room for any
// other is not remembered.
func (c *cache) putList(url string, l *list, now time.Time) {
	delete(c.lists, url)
	if l.one.Len() > c.entries/2 {
		return
	}
	for {
		entries := l.one.Len()
		var soonest string
		for key, old := range c.lists {
			entries += old.one.Len()
			if soonest == "" || old.drop.Before(c.lists[soonest].drop) {
				soonest = key
			}
		}
		roomy := len(c.lists) < maxLists && entries <= c.entries
		if soonest == "" || roomy && now.Before(c.lists[soonest].drop) {
			break
		}
		delete(c.lists, soonest)
	}
	c.lists[url] = l
}
