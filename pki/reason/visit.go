package reason

// Reasons about the visits of people to the gateway, and about what services want of them.
const (
	// VisitOtherAccount means that a person has signed in as somebody else than the browser is
	// signed in as.
	VisitOtherAccount Code = "visit-other-account"
	// VisitOver means that the visit of a browser has ended.
	VisitOver Code = "visit-over"
	// LevelPhysical means that a service wants a key that does not leave its device.
	LevelPhysical Code = "level-physical-key"
)

func visitEntries() []Entry {
	return []Entry{
		{
			VisitOtherAccount, Conflict,
			"В этом браузере уже выполнен вход под другой учётной записью. Сначала выйдите из неё или подтвердите вход тем же пользователем.",
			"This browser is already signed in with another account; sign out first, or confirm as the same person.", "",
		},
		{
			VisitOver, Credential,
			"Сеанс завершён. Войдите снова.",
			"The visit has ended; sign in again.", "",
		},
		{
			LevelPhysical, Policy,
			"Этот сервис принимает только ключ, который хранится внутри носителя и не покидает его. Войдите с таким ключом.",
			"This service takes only a key that is kept inside a token and does not leave it; sign in with such a key.", "",
		},
	}
}
