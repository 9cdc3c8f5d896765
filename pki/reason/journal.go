package reason

// Reasons about the journal.
const (
	// JournalLost means that an event cannot be written to the journal, and the operator wants
	// nothing to happen that is not in it.
	JournalLost Code = "journal-lost"
)

// journalEntries lists the reasons about the journal.
func journalEntries() []Entry {
	return []Entry{{
		JournalLost, Unavailable,
		"Сейчас нельзя войти и подписать документ: действие не удаётся записать в журнал. Повторите попытку через несколько минут.",
		"The action cannot be written to the journal, so it was not done; try again in a few minutes. Operators: see the log, and free space on the disk.",
		"63-ФЗ, ст. 10",
	}}
}
