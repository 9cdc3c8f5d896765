// Package card issues registration cards: login and first password, given out by an operator
// who has seen the person's papers (PW-01 to PW-08).
package card

// Ways to hand a card over (PW-08): Card.Delivery of package account.
const (
	InPerson = "personal"
	ByEmail  = "email"
)
