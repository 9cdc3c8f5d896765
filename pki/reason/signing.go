package reason

// Reasons why a signature is not made.
const (
	// SigningKeyMismatch means that the private key is not that of the certificate.
	SigningKeyMismatch Code = "signing-key-mismatch"
	// SignedAlready means that the holder of the certificate has signed the file.
	SignedAlready Code = "signed-already"
	// SignatureSealed means that the file has a time-stamp which another signature
	// would break.
	SignatureSealed Code = "signature-sealed"
	// NoTimeStamp means that a signature cannot be extended because it has no
	// time-stamp yet.
	NoTimeStamp Code = "no-time-stamp"
	// MaterialMissing means that there are not all the certificates and revocation
	// data that a signature needs in order to be judged without a network.
	MaterialMissing Code = "long-term-data-missing"
)

// signingEntries lists the reasons why a signature is not made.
func signingEntries() []Entry {
	return []Entry{
		{
			SigningKeyMismatch, Policy,
			"Закрытый ключ не подходит к сертификату. Укажите ключ и сертификат, которые выданы вместе.",
			"The private key is not that of the certificate; name a key and a certificate that belong together.",
			"63-ФЗ, ст. 2, п. 6",
		},
		{
			SignedAlready, Conflict,
			"Этим сертификатом документ уже подписан. Второй раз подписывать не нужно.",
			"The holder of this certificate has signed the file already; there is no need to sign again.",
			"",
		},
		{
			SignatureSealed, Conflict,
			"Файл подписи закрыт архивным штампом времени, и ещё одна подпись сделает штамп недействительным. Подпишите документ отдельным файлом.",
			"An archive time-stamp covers the file and another signature would break it; sign the document in a file of its own.",
			"ETSI EN 319 122-1, A.2",
		},
		{
			NoTimeStamp, Conflict,
			"В подписи ещё нет штампа времени, поэтому усовершенствовать её для хранения нельзя. Сначала получите штамп времени.",
			"The signature has no time-stamp yet, so it cannot be extended for the long term; obtain a time-stamp first.",
			"ETSI EN 319 122-1, 5.3",
		},
		{
			MaterialMissing, Unavailable,
			"Не хватает сертификатов удостоверяющих центров или сведений об отзыве, чтобы подпись проверялась без сети. Обновите доверенные данные и повторите.",
			"Certificates of CAs or revocation data are missing that the signature needs to be judged without a network; refresh the trust data and try again.",
			"RFC 5126, 6.2, 6.3",
		},
	}
}
