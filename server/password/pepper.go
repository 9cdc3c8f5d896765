package password

import "propusk/server/account"

// Pepper returns what keys the passwords of accounts: the gateway and the commands of its
// operators must have the same.
func Pepper(s *account.Sealer) []byte {
	pepper := s.Pepper("passwords", "")
	return pepper[:]
}
