package password

// Weakness is one thing that is wrong with a new password, with a sentence for the person.
type Weakness struct {
	// Name is for tests and for programs: "short", "common".
	Name string
	// RU and EN say what to do.
	RU, EN string
}

// About is what is known about the person whose password it will be: nothing of it may be
// in the password. All may be empty.
type About struct {
	// Login is the ИНН.
	Login string
	// Words are the words of the name, the local part of the e-mail address and the like.
	Words []string
}

// Policy is what a new password must be. The zero value is the default.
type Policy struct {
	// MinLength is how many characters there must be at least; 0 is 8 (FL-03, GU-11).
	MinLength int
}

// Check returns what is wrong with a new password; nothing if it is good. PW-06.
func (p Policy) Check(password string, about About) []Weakness {
	return nil
}
