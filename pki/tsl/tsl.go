// Package tsl reads the list of accredited certification authorities (ТСЛ) that
// Минцифры publishes, verifies its signature and answers when a CA was
// accredited (63-ФЗ, ст. 11, п. 1).
package tsl

import (
	"crypto"
	"time"

	"propusk/pki/gostx509"
)

// Unverified is a list that was read and whose signature nobody checked. It can
// be looked at; only VerifySignature turns it into a [List].
type Unverified struct {
	content Content
	doc     []byte
}

// Content is what the list says.
type Content struct {
	Version  int
	Date     time.Time
	CAs      []*CA
	Problems []Problem
}

// Problem is an oddity of the list that did not make it unreadable.
type Problem struct {
	CA   string // name of the CA, empty when the problem is elsewhere
	What string
}

// CA is one record of the list.
type CA struct {
	Name, ShortName, Email string
	INN, OGRN              string
	RegistryNumber         string
	Registers              string
	Info                   string
	SuccessorOGRN          string
	Address                Address
	Installations          []Installation
	Current                StatusChange
	History                []StatusChange
}

// Address is a postal address.
type Address struct{ Country, PostCode, Region, City, Street string }

// Installation is one ПрограммноАппаратныйКомплекс.
type Installation struct {
	Alias, Class, Tools string
	Address             Address
	Keys                []Key
}

// Key is one key of a CA.
type Key struct {
	ID           []byte
	CRLs         []string
	Certificates []Certificate
}

// Certificate is one certificate of a CA key as listed.
type Certificate struct {
	Thumbprint          [20]byte
	DER                 []byte
	Issuer, Subject     string
	Serial              string
	NotBefore, NotAfter time.Time
}

// Parse certificate.
func (c *Certificate) Parse() (*gostx509.Certificate, error) { panic("TODO") }

// StatusChange says that the CA has had a status since a moment.
type StatusChange struct {
	Value string
	Since time.Time
}

// Parse reads a list without looking at its signature.
func Parse(xml []byte) (*Unverified, error) { panic("TODO") }

// Content returns what the list says; nothing vouches for it.
func (u *Unverified) Content() *Content { return &u.content }

// VerifySignature returns the list if it is signed, as a whole, by one of the
// pinned signers.
func (u *Unverified) VerifySignature(signers ...*gostx509.Certificate) (*List, error) { panic("TODO") }

// Verify is Parse followed by VerifySignature.
func Verify(xml []byte, signers ...*gostx509.Certificate) (*List, error) { panic("TODO") }

// List is a list whose signature was verified.
type List struct {
	content Content
	signer  *gostx509.Certificate
}

// Content returns what the list says.
func (l *List) Content() *Content { return &l.content }

// Version is «Версия».
func (l *List) Version() int { return l.content.Version }

// Date is «Дата».
func (l *List) Date() time.Time { return l.content.Date }

// Signer returns the certificate the list was verified with.
func (l *List) Signer() *gostx509.Certificate { return l.signer }

// CAOf returns the record that lists exactly this certificate; if several
// records do, one record whose accreditation is the union.
func (l *List) CAOf(cert *gostx509.Certificate) (*CA, bool) { panic("TODO") }

// Status is the standing of a CA on a day.
type Status struct {
	InForce bool      // «Действует» on that Moscow day
	Known   bool      // the value is one this package knows
	Value   string    // as written in the list; empty before the first change
	Since   time.Time // beginning of the status; zero before the first change
	Until   time.Time // beginning of the next one; zero if there is none
}

// Accredited tells the standing on the Moscow calendar day of at.
func (ca *CA) Accredited(at time.Time) Status { panic("TODO") }

// Marshal writes the list as XML, unsigned.
func Marshal(c *Content) ([]byte, error) { panic("TODO") }

// Sign is Marshal followed by xmldsig.Sign.
func Sign(c *Content, key crypto.Signer, certDER []byte) ([]byte, error) { panic("TODO") }
