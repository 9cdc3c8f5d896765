package reason

// Reasons about what is added to a signature, and about judging it over time.
const (
	// AttributeUnreadable means that an attribute that was added to a signature
	// cannot be read.
	AttributeUnreadable Code = "signature-attribute-unreadable"
	// ReferenceMismatch means that a signature refers to certificates or revocation
	// data other than those it comes with.
	ReferenceMismatch Code = "reference-mismatch"
	// PolicyMismatch means that the signature policy that we know is not the one
	// that the signer named.
	PolicyMismatch Code = "signature-policy-mismatch"
	// TimeStampIndex means that an archive time-stamp covers something that is not
	// in the signature, or does not say what it covers.
	TimeStampIndex Code = "time-stamp-index"
	// TimeStampFuture means that a time-stamp is of a time that has not come yet.
	TimeStampFuture Code = "time-stamp-future"
	// TimeStampInaccurate means that the authority says of its own clock that it may
	// be too far off.
	TimeStampInaccurate Code = "time-stamp-inaccurate"
	// TimeStampTooMany means that a time-stamp was not looked at because there are
	// too many.
	TimeStampTooMany Code = "time-stamp-too-many"
	// TimeOrder means that times in a signature contradict each other.
	TimeOrder Code = "time-order"
	// AlgorithmWithdrawn means that the signature is of an algorithm that was
	// withdrawn, and nothing proves that it was made before.
	AlgorithmWithdrawn Code = "algorithm-withdrawn"
	// EvidenceNotProven means that revocation data in a signature are of a CA whose
	// certificate has expired or was revoked since, and nothing proves that they
	// were made before.
	EvidenceNotProven Code = "revocation-not-proven"
)

// cadesEntries lists the reasons about what is added to a signature.
func cadesEntries() []Entry {
	return []Entry{
		{
			AttributeUnreadable, Malformed,
			"Дополнительные сведения, приложенные к подписи (штамп времени, сертификаты, сведения об отзыве), повреждены и не учтены. Получите файл подписи у отправителя ещё раз.",
			"An attribute that was added to the signature cannot be read and does not count; get the signature file again.",
			"ETSI EN 319 122-1, 5",
		},
		{
			ReferenceMismatch, Policy,
			"Ссылки в подписи не соответствуют приложенным сертификатам и сведениям об отзыве. Попросите подписавшего усовершенствовать подпись заново.",
			"The references in the signature are to other certificates or revocation data than those inside it; ask for the signature to be extended anew.",
			"RFC 5126, 6.2, 6.3",
		},
		{
			PolicyMismatch, Policy,
			"Подписавший указал другую политику подписи, чем та, что известна нам под этим номером. Уточните у подписавшего, какую политику он применял.",
			"The digest of the signature policy is not that of the policy document known under its number; ask the signer which policy was meant.",
			"ETSI EN 319 102-1, 5.2.4",
		},
		{
			TimeStampIndex, Policy,
			"Архивный штамп времени поставлен на сведения, которых в подписи нет, или не указывает, на что он поставлен. Получите исходный файл подписи у отправителя.",
			"The archive time-stamp covers something that is not in the signature, or does not say what it covers; get the original file of the signature.",
			"ETSI EN 319 122-1, 5.5.2, 5.5.3",
		},
		{
			TimeStampFuture, Policy,
			"Время в штампе времени ещё не наступило. Проверьте часы сервера; не доверяйте этому штампу.",
			"The time-stamp is of a time that has not come yet; check the clock of the server, and do not trust the time-stamp.",
			"RFC 3161, 2.4.2",
		},
		{
			TimeStampInaccurate, Policy,
			"Служба штампов времени сама указала, что её часы слишком неточны. Время подписания не доказано; попросите подписавшего получить штамп в другой службе.",
			"The time-stamping authority itself says that its clock may be too far off, so the time is not proven; ask the signer for a stamp of another one.",
			"RFC 3161, 2.4.2; ETSI EN 319 421, 7.7.2",
		},
		{
			TimeStampTooMany, TooLarge,
			"В файле слишком много штампов времени, этот не проверялся. Проверьте подписи по одной.",
			"The file has too many time-stamps, and this one was not looked at; verify the signatures one by one.",
			"",
		},
		{
			TimeOrder, Policy,
			"Время подписания и время в штампах противоречат друг другу. Уточните у подписавшего, когда создана подпись, и попросите подписать заново.",
			"The claimed time of signing and the time-stamps contradict each other; ask the signer when the signature was made, or for a new one.",
			"ETSI EN 319 102-1, 5.5.4",
		},
		{
			AlgorithmWithdrawn, Unavailable,
			"Подпись создана по ГОСТ Р 34.10-2001, который не применяется с 2020 года, и ничто не доказывает, что она создана раньше. Приложите подпись со штампом времени до 2020 года или попросите подписать заново.",
			"The signature is of GOST R 34.10-2001, withdrawn since 2020, and nothing proves that it was made before; send one with a time-stamp from before 2020, or ask for a new signature.",
			"ETSI EN 319 102-1, 5.2.8; ФСБ России, № 149/7/1/3-58",
		},
		{
			EvidenceNotProven, Unavailable,
			"Сведения об отзыве, приложенные к подписи, выданы удостоверяющим центром, сертификат которого уже не действует, и ничто не доказывает, что они созданы раньше. Нужен архивный штамп времени.",
			"The revocation data inside the signature are of a CA whose certificate is no longer in force, and nothing proves that they were made while it was; an archive time-stamp is needed.",
			"ETSI EN 319 102-1, 5.6.2.2",
		},
	}
}
