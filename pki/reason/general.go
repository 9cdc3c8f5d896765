package reason

// Reasons that belong to no single area.
const (
	// InternalError is a mistake of ours: nobody is to blame but the program.
	InternalError Code = "internal-error"
)

func generalEntries() []Entry {
	return []Entry{
		{
			InternalError, Internal,
			"На сервере произошла ошибка. Повторите попытку позже; если ошибка повторится, сообщите её номер в службу поддержки.",
			"The server made an error; try again later and, if it repeats, report its number to support.",
			"",
		},
	}
}
