package support

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/mail"
	"propusk/server/store"
)

// sequence numbers tickets.
const sequence = "ticket"

// MaxAnswer is how long the answer of an operator may be, in characters.
const MaxAnswer = 20_000

// number is how tickets are called: the year, in Moscow, and a number.
var number = regexp.MustCompile(`^2[0-9]{3}-[0-9]{6,9}$`)

// KnownNumber reports whether a text is the number of a ticket, as far as its form goes.
func KnownNumber(s string) bool { return number.MatchString(s) }

// moscow is where working days are counted.
func moscow() *time.Location { return time.FixedZone("MSK", 3*60*60) }

// AnswerBy returns the end of the second working day after a moment, in Moscow (SP-05).
// Holidays are not known here, so an answer may be due on one.
func AnswerBy(at time.Time) time.Time {
	day := at.In(moscow())
	for working := 0; working < 2; {
		day = day.AddDate(0, 0, 1)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			working++
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 18, 0, 0, 0, moscow())
}

// Open writes a new ticket with its files and the letter that confirms it, and sets its
// number, state and times.
func Open(tx store.Tx, m mail.Composer, t *account.Ticket, files []account.Attachment, now time.Time) error {
	n, err := tx.Next(sequence)
	if err != nil {
		return err
	}
	t.Number = fmt.Sprintf("%d-%06d", now.In(moscow()).Year(), n)
	t.State, t.Opened, t.Changed = account.OpenTicket, now, now
	if err := tx.PutTicket(*t); err != nil {
		return err
	}
	for _, f := range files {
		f.Ticket = t.Number
		if err := tx.PutAttachment(f); err != nil {
			return err
		}
	}
	return tx.PutLetter(m.TicketOpened(to(*t), now, mail.TicketOpened{Number: t.Number, Until: AnswerBy(now)}))
}

// Answer writes the answer of an operator and the letter with it; with it the ticket is
// answered, or closed. The reason of an error is [reason.TicketUnknown] or
// [reason.TicketClosed], or it is that of the store.
func Answer(tx store.Tx, m mail.Composer, number, text, by string, closed bool, now time.Time) error {
	t, err := open(tx, number)
	if err != nil {
		return err
	}
	t.Answers = append(t.Answers, account.Answer{At: now, By: by, Text: person.NewPrivate(text)})
	t.State, t.Changed = account.AnsweredTicket, now
	if closed {
		t.State = account.ClosedTicket
	}
	if err := tx.PutTicket(t); err != nil {
		return err
	}
	return tx.PutLetter(m.TicketAnswered(to(t), now, mail.TicketAnswered{Number: number, Answer: text, Closed: closed}))
}

// Close closes a ticket without a letter. The errors are those of Answer.
func Close(tx store.Tx, number string, now time.Time) error {
	t, err := open(tx, number)
	if err != nil {
		return err
	}
	t.State, t.Changed = account.ClosedTicket, now
	return tx.PutTicket(t)
}

// Find returns a ticket. The reason of an error is [reason.TicketUnknown], or it is that of the
// store.
func Find(tx store.Tx, number string) (account.Ticket, error) {
	if !KnownNumber(number) {
		return account.Ticket{}, reason.New(reason.TicketUnknown, nil)
	}
	t, err := tx.Ticket(number)
	if errors.Is(err, store.ErrNotFound) {
		return t, reason.New(reason.TicketUnknown, err)
	}
	return t, err
}

// open returns a ticket that is not closed.
func open(tx store.Tx, number string) (account.Ticket, error) {
	t, err := Find(tx, number)
	if err == nil && t.State == account.ClosedTicket {
		return t, reason.New(reason.TicketClosed, nil)
	}
	return t, err
}

// to is where letters about a ticket go.
func to(t account.Ticket) mail.To {
	return mail.To{Email: t.Email, Language: t.Language, Account: t.Account}
}
