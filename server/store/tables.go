package store

import (
	"encoding/hex"
	"fmt"

	"propusk/server/account"
)

// tables are those of the schema in migrations. Columns are what queries ask for; everything
// is in the documents.
type tables struct {
	account    table[account.Account]
	password   table[account.Password]
	factor     table[account.Factor]
	key        table[account.Key]
	card       table[account.Card]
	evidence   table[account.Evidence]
	visit      table[account.Visit]
	secret     table[account.Secret]
	counter    table[account.Counter]
	checkRun   table[account.CheckRun]
	letter     table[account.Letter]
	task       table[account.Task]
	note       table[account.Note]
	ticket     table[account.Ticket]
	attachment table[account.Attachment]
	sequence   table[sequence]
}

// sequence is a row of the table of sequences.
type sequence struct {
	name string
	last int64
}

func sequenceFields(c *coder, s *sequence) {
	c.plain("name", &s.name)
	c.plain("last", &s.last)
}

func newTables() *tables {
	return &tables{
		account: table[account.Account]{"account", func(a *account.Account) (string, []cell) {
			return string(a.ID), []cell{{"inn", a.Identity.INN.Reveal()}, {"state", string(a.State)}, {"activate_by", micros(a.ActivateBy)}}
		}, accountFields},
		password: table[account.Password]{"password", func(p *account.Password) (string, []cell) {
			overdue := int64(0) // when it blocks its account
			if p.Initial && !p.Spent {
				overdue = micros(p.Expires)
			}
			return string(p.Account), []cell{{ofColumn, string(p.Account)}, {"overdue", overdue}}
		}, passwordFields},
		factor: table[account.Factor]{"factor", func(f *account.Factor) (string, []cell) {
			return join(string(f.Account), f.ID), []cell{{ofColumn, string(f.Account)}, {"added", micros(f.Added)}}
		}, factorFields},
		key: table[account.Key]{"certificate", func(k *account.Key) (string, []cell) {
			return hexName(k.SHA256), []cell{{ofColumn, string(k.Account)}, {"bound", micros(k.Bound)}}
		}, keyFields},
		card: table[account.Card]{"card", func(c *account.Card) (string, []cell) {
			return c.Number, []cell{{ofColumn, string(c.Account)}, {"issued", micros(c.Issued)}}
		}, cardFields},
		evidence: table[account.Evidence]{"evidence", func(e *account.Evidence) (string, []cell) {
			return e.ID, []cell{{ofColumn, string(e.Account)}, {"at", micros(e.At)}}
		}, evidenceFields},
		visit: table[account.Visit]{"visit", func(v *account.Visit) (string, []cell) {
			return hexName(v.Key), []cell{{ofColumn, string(v.Account)}, {"seen", micros(v.Seen)}, {"until", micros(v.Until)}}
		}, visitFields},
		secret: table[account.Secret]{"secret", func(s *account.Secret) (string, []cell) {
			return secretName(s.Purpose, s.Digest), []cell{{ofColumn, string(s.Account)}, {"purpose", s.Purpose},
				{"created", micros(s.Created)}, {expiresColumn, micros(s.Expires)}}
		}, secretFields},
		counter: table[account.Counter]{"counter", func(n *account.Counter) (string, []cell) {
			return n.Key, []cell{{expiresColumn, micros(n.Until)}}
		}, counterFields},
		checkRun: table[account.CheckRun]{"check_run", func(r *account.CheckRun) (string, []cell) {
			return r.Code, []cell{{expiresColumn, micros(r.Expires)}}
		}, checkRunFields},
		letter:     table[account.Letter]{"letter", letterRow, letterFields},
		task:       table[account.Task]{"task", taskRow, taskFields},
		note:       table[account.Note]{"note", func(n *account.Note) (string, []cell) { return noteName(n.ID), nil }, noteFields},
		ticket:     table[account.Ticket]{"ticket", ticketRow, ticketFields},
		attachment: table[account.Attachment]{"attachment", attachmentRow, attachmentFields},
		sequence:   table[sequence]{"sequence", func(s *sequence) (string, []cell) { return s.name, nil }, sequenceFields},
	}
}

// Columns that several tables have.
const (
	ofColumn      = "account"
	expiresColumn = "expires"
	placeColumn   = "place" // the order of a list that is read page by page
)

func letterRow(l *account.Letter) (string, []cell) {
	waiting := int64(0)
	if l.Waiting() {
		waiting = 1
	}
	return l.ID, []cell{{"waiting", waiting}, {"not_before", micros(l.NotBefore)}, {placeColumn, place(micros(l.Created), l.ID)}}
}

func taskRow(t *account.Task) (string, []cell) {
	return t.ID, []cell{{"kind", t.Kind}, {"due", micros(t.Due)}}
}

func ticketRow(t *account.Ticket) (string, []cell) {
	return t.Number, []cell{{"state", t.State}, {placeColumn, place(micros(t.Changed), t.Number)}}
}

func attachmentRow(a *account.Attachment) (string, []cell) {
	if a.Ticket == "" || a.Number < 1 {
		return "", nil
	}
	return join(a.Ticket, fmt.Sprintf("%06d", a.Number)), []cell{{"ticket", a.Ticket}}
}

// place puts values in the order of a time, and those of one time in that of their names.
func place(at int64, name string) string { return join(fmt.Sprintf("%020d", max(0, at)), name) }

func noteName(id int64) string { return fmt.Sprintf("%020d", id) }

func hexName(digest [32]byte) string { return hex.EncodeToString(digest[:]) }

func secretName(purpose string, digest [32]byte) string { return join(purpose, hexName(digest)) }

// join returns the name of what has two; it is empty if the first is.
func join(first, second string) string {
	if first == "" || second == "" {
		return ""
	}
	return first + "/" + second
}
