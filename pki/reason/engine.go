package reason

// Reasons about what computes signatures.
const (
	// EngineLost means that the module that has to verify signatures gives no answer,
	// and that nobody else may answer for it.
	EngineLost Code = "engine-lost"
	// EngineDisagreement means that two programs verified one signature, and one found
	// it good and the other bad.
	EngineDisagreement Code = "engine-disagreement"
)

// engineEntries lists the reasons about what computes signatures.
func engineEntries() []Entry {
	return []Entry{
		{
			EngineLost, Unavailable,
			"Средство электронной подписи, которым мы обязаны проверять подписи, сейчас не отвечает, поэтому подпись не проверена. Повторите через несколько минут.",
			"The module that has to verify signatures gives no answer, so the signature was not verified; try again in a few minutes.",
			"63-ФЗ, ст. 11, п. 3",
		},
		{
			EngineDisagreement, Internal,
			"Два средства проверки ответили о подписи по-разному, поэтому мы ей не поверили. Это наша неисправность: сообщите о ней в службу поддержки.",
			"Two programs verified the signature and did not agree, so it was not believed; this is a fault of ours, please report it to support.",
			"63-ФЗ, ст. 11, п. 3",
		},
	}
}
