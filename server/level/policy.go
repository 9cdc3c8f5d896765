package level

import (
	"propusk/pki/person"
)

// Text is a text in both languages.
type Text struct {
	RU string `yaml:"ru"`
	EN string `yaml:"en"`
}

// Service is one of the things that a client offers, and what it wants of a person.
type Service struct {
	// ID names the service in addresses: the parameter service of an authorization request.
	ID string `yaml:"id"`
	// Client is the client_id of the client that offers it.
	Client string `yaml:"client"`
	// Name is what people call it.
	Name Text `yaml:"name"`
	// Level is what it wants of everybody.
	Level Level `yaml:"level"`
	// Kinds are the kinds of holders of whom it wants something else (BY-05).
	Kinds map[person.Kind]Level `yaml:"kinds"`
	// Physical wants a key that does not leave its device (BY-06).
	Physical bool `yaml:"physical"`
}

// Policy is what services want. The zero value knows no service, and wants QES everywhere.
// It is not changed after Load, and safe for concurrent use.
type Policy struct {
	services []Service
}
