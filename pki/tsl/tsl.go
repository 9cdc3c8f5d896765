// Package tsl reads the list of accredited certification authorities (ТСЛ) that
// Минцифры publishes, verifies its signature and answers when a CA was
// accredited (63-ФЗ, ст. 11, п. 1; ст. 17).
//
// The format has no published schema that we know of; it is put together from
// what programs in the wild read (see DIVERGENCES.md). Elements that are not
// known are passed over; the known ones must be where they belong and must not
// repeat. A record that contradicts itself does not spoil the list: it is never
// in force, and a [Problem] says so.
package tsl

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"iter"
	"sync"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/xmldsig"
	"propusk/pki/xmldsig/strictxml"
)

// Content is what a list says.
type Content struct {
	Version  int       // «Версия»; grows with every publication
	Date     time.Time // «Дата»
	CAs      []*CA     // in the order of the list; one organisation may occur several times
	Problems []Problem // oddities that did not make the list unreadable
}

// Problem is an oddity of the list. What it concerns is never in force.
type Problem struct {
	CA   string // name of the CA, empty when the problem is elsewhere
	What string
}

// CA is one record of the list, «УдостоверяющийЦентр».
type CA struct {
	Name             string // «Название»
	ShortName        string // «КраткоеНазвание»
	Email            string // «ЭлектроннаяПочта»
	InfoURL          string // «АдресСИнформациейПоУЦ»
	RegistersURL     string // «АдресСИнформациейПоРеестрамСертификатов»
	Address          Address
	INN              string // «ИНН», of a legal person
	OGRN             string // «ОГРН»
	RegistryNumber   string // «РеестровыйНомер»
	Installations    []Installation
	Current          StatusChange   // «СтатусАккредитации»; zero if absent
	History          []StatusChange // «ИсторияСтатусовАккредитации», in the order of the list
	SuccessorOGRN    string         // «ПолномочияПереданыУЦсОГРН»
	timeline         []span         // ascending
	statusUnreadable bool           // a status change has no readable date
}

// Address is a postal address, «Адрес».
type Address struct {
	Country, PostCode, Region, City, Street string
}

// Installation is one «ПрограммноАппаратныйКомплекс»: a set of tools that a CA
// issues certificates with.
type Installation struct {
	Alias   string // «Псевдоним»
	Class   string // «КлассСредствЭП»
	Tools   string // «СредстваУЦ»
	Address Address
	Keys    []Key
}

// Key is one key of a CA, «Ключ».
type Key struct {
	ID           []byte   // «ИдентификаторКлюча»: the subject key identifier
	CRLs         []string // «АдресаСписковОтзыва»: URLs, a source besides those in certificates
	Certificates []Certificate
}

// Certificate is one certificate of a CA key, «ДанныеСертификата». All but DER
// is what the list says about it, for display.
type Certificate struct {
	DER                 []byte   // «Данные»; must not be modified
	Thumbprint          [20]byte // «Отпечаток»: SHA-1 of DER, checked
	Issuer              string   // «КемВыдан»
	Subject             string   // «КомуВыдан»
	Serial              string   // «СерийныйНомер»
	NotBefore, NotAfter time.Time
}

// Parse reads the certificate itself.
func (c *Certificate) Parse() (*gostx509.Certificate, error) { return gostx509.Parse(c.DER) }

// StatusChange says that a CA has had a status since a moment.
type StatusChange struct {
	Value string // «Статус»
	Since time.Time
}

// Unverified is a list whose signature nobody checked. It can be looked at; only
// VerifySignature turns it into a [List].
type Unverified struct {
	content Content
	doc     []byte
}

// Content returns what the list says; nothing vouches for it. It must not be
// modified.
func (u *Unverified) Content() *Content { return &u.content }

// Parse reads a list without looking at its signature. doc is kept and must not
// change until the signature is verified.
//
// The error is a *reason.Error: reason.TSLMalformed, or what makes doc
// unreadable as XML.
func Parse(doc []byte) (*Unverified, error) {
	d, err := strictxml.Open(doc)
	if err != nil {
		return nil, err
	}
	content, err := parse(d)
	if err != nil {
		return nil, err
	}
	return &Unverified{content: *content, doc: doc}, nil
}

// VerifySignature returns the list if it is signed, as a whole, by one of the
// pinned signers (see xmldsig.Verify). Their dates are not looked at: a list that
// was published stays published. The document is read once more, so that the List
// says what was verified and not what somebody did to Content.
//
// The error is a *reason.Error with reason.TSLNotVerified; its cause tells what
// failed.
func (u *Unverified) VerifySignature(signers ...*gostx509.Certificate) (*List, error) {
	return Verify(u.doc, signers...)
}

// Verify reads a list and verifies its signature; errors are those of Parse and of
// VerifySignature.
func Verify(doc []byte, signers ...*gostx509.Certificate) (*List, error) {
	d, err := strictxml.Open(doc)
	if err != nil {
		return nil, err
	}
	content, err := parse(d)
	if err != nil {
		return nil, err
	}
	result, err := xmldsig.VerifyDocument(d, xmldsig.Options{Signers: signers})
	if err != nil {
		return nil, reason.New(reason.TSLNotVerified, err)
	}
	signer, ok := result.Signer()
	if !ok {
		return nil, reason.New(reason.TSLNotVerified, result.Reason())
	}
	l := newList(*content, signer)
	l.sha256 = sha256.Sum256(doc)
	l.proof = result.Proof()
	return l, nil
}

// List is a list whose signature was verified. It is immutable and safe for
// concurrent use. The zero value lists nobody.
type List struct {
	content Content
	signer  *gostx509.Certificate
	sha256  [32]byte
	index   map[[20]byte][]listed
	byOGRN  map[string][]*CA
	// proof is the signature, and confirmed has the engines (sigalg.Run.ID) that found
	// it good too.
	proof     xmldsig.Proof
	confirmed *sync.Map
}

// listed is one certificate of the list and the record that answers for it.
type listed struct {
	der    []byte
	ca     *CA
	owners []*CA // all records, in order; only while the list is indexed
}

// Content returns what the list says. It must not be modified.
func (l *List) Content() *Content { return &l.content }

// Version is «Версия». A lower version than one that was seen must not replace
// it.
func (l *List) Version() int { return l.content.Version }

// Date is «Дата», the moment of publication.
func (l *List) Date() time.Time { return l.content.Date }

// SHA256 is the fingerprint of the document that was verified.
func (l *List) SHA256() [32]byte { return l.sha256 }

// Signer returns the certificate that the list was verified with.
func (l *List) Signer() *gostx509.Certificate { return l.signer }

// ConfirmBy has the signature of the list, which this program has found good, verified by
// the engine of a run too: once by each version of each engine. The error is that of
// [sigalg.Run.Confirm].
func (l *List) ConfirmBy(run *sigalg.Run) error {
	if run == nil || l.signer == nil { // a list that lists nobody
		return nil
	}
	if _, known := l.confirmed.Load(run.ID()); known {
		return nil
	}
	if err := run.Confirm(l.signer.PublicKey, l.proof.Digest, l.proof.Value); err != nil {
		return err
	}
	if run.Keeps() {
		l.confirmed.Store(run.ID(), true)
	}
	return nil
}

// Certificates yields every certificate of the list with its record, in order.
// The same certificate may come several times.
func (l *List) Certificates() iter.Seq2[*CA, *Certificate] { return l.content.certificates() }

// Keys yields the keys of a CA, those of all its installations, in the order of
// the list. Each brings the addresses of its revocation lists.
func (ca *CA) Keys() iter.Seq[*Key] {
	return func(yield func(*Key) bool) {
		for i := range ca.Installations {
			for j := range ca.Installations[i].Keys {
				if !yield(&ca.Installations[i].Keys[j]) {
					return
				}
			}
		}
	}
}

func (c *Content) certificates() iter.Seq2[*CA, *Certificate] {
	return func(yield func(*CA, *Certificate) bool) {
		for _, ca := range c.CAs {
			for key := range ca.Keys() {
				for i := range key.Certificates {
					if !yield(ca, &key.Certificates[i]) {
						return
					}
				}
			}
		}
	}
}

// Sign is Marshal followed by xmldsig.Sign: a list for tests and the demo.
func Sign(c *Content, key crypto.Signer, certDER []byte) ([]byte, error) {
	doc, err := Marshal(c)
	if err != nil {
		return nil, err
	}
	signed, err := xmldsig.Sign(doc, key, certDER)
	if err != nil {
		return nil, fmt.Errorf("sign list: %w", err)
	}
	return signed, nil
}
