package account

import (
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/journal"
)

// Letter is an e-mail in the outbox. It is put there in the transaction that does what the
// letter tells about, so that neither is there without the other.
type Letter struct {
	ID      string
	Account ID // empty if it has none
	To      person.Email
	// Kind is the sort of letter: "activation".
	Kind string
	// Language is "ru" or "en".
	Language string
	Subject  string
	// Text and HTML are its two forms. They may hold links and codes that open something.
	Text, HTML person.Private
	Created    time.Time
	// NotBefore is when it is sent, or tried again.
	NotBefore time.Time
	// Expires is when it is of no use any more; zero is never.
	Expires time.Time
	// Tries is how often it was tried in vain.
	Tries int
	// Sent is when a server took it, and Failed when it was given up; both zero while it
	// waits.
	Sent, Failed time.Time
	// Trouble is what the last try met, without anything about people.
	Trouble string
}

// Waiting reports whether the letter is still to be sent.
func (l *Letter) Waiting() bool { return l.Sent.IsZero() && l.Failed.IsZero() }

// Task is something that is to be done after a transaction, and tried again until it is done,
// such as telling a service that a visit has ended. The same care as for letters.
type Task struct {
	ID   string
	Kind string
	// Data is what its owner needs to do it.
	Data []byte
	// Due is when it is to be tried next, Expires when it is given up.
	Due, Expires time.Time
	Tries        int
}

// Note is an event on its way to the journal, written in the transaction that did what it
// tells about.
type Note struct {
	// ID counts up in the order of transactions.
	ID    int64
	Event journal.Event
	// Who is of whom the event tells; the journal keeps a pseudonym. The zero value is nobody.
	Who person.Identity
	// From is the number of the last record of the journal before the event was first tried
	// to be written, plus one; 0 before that. An event that is in the journal behind it is
	// not written twice.
	From uint64
}

// States of tickets.
const (
	// OpenTicket waits for the operator.
	OpenTicket = "open"
	// AnsweredTicket waits for the person, if for anybody.
	AnsweredTicket = "answered"
	// ClosedTicket is done.
	ClosedTicket = "closed"
)

// Ticket is a request to the support (SP-01 to SP-06).
type Ticket struct {
	// Number is what people tell: see the sequence "ticket" of the store.
	Number  string
	Account ID // empty if nobody was signed in
	// State is OpenTicket, AnsweredTicket or ClosedTicket.
	State           string
	Opened, Changed time.Time
	// Topic is one of a fixed list.
	Topic    string
	Name     person.Name
	INN      person.INN
	Email    person.Email
	Phone    person.Private
	Language string
	Text     person.Private
	// Check is the code of a CheckRun, or empty.
	Check string
	// Support is the support code of the page that the person came from, or empty.
	Support string
	Reason  reason.Code
	// Certificate is what the gateway knows of his certificate, in DER, or empty.
	Certificate []byte
	Answers     []Answer
}

// Answer is what an operator answered to a ticket.
type Answer struct {
	At   time.Time
	By   string
	Text person.Private
}

// Attachment is a file of a ticket.
type Attachment struct {
	Ticket string
	// Number counts from 1 within the ticket.
	Number int
	Name   person.Private
	// Type is the media type that its content has, whatever the browser said.
	Type string
	Data []byte
}
