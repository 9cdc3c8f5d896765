package reason

// Reasons about requests to the support.
const (
	// TicketPrivateKey means that a file for the support holds a private key. It must not be
	// stored, logged or repeated.
	TicketPrivateKey Code = "ticket-file-private-key"
	// TicketFileKind means that a file for the support is neither a picture nor a certificate.
	TicketFileKind Code = "ticket-file-kind"
	// TicketFileDamaged means that a picture, certificate or archive cannot be read.
	TicketFileDamaged Code = "ticket-file-damaged"
	// TicketFileLarge means that a file is too large, or a picture has too many points.
	TicketFileLarge Code = "ticket-file-too-large"
	// TicketFilesMany means that there are too many files.
	TicketFilesMany Code = "ticket-files-too-many"
	// TicketThrottled means that too many requests came from one network or for one address.
	TicketThrottled Code = "ticket-throttled"
	// TicketUnknown means that there is no request of that number.
	TicketUnknown Code = "ticket-unknown"
	// TicketClosed means that a request is closed and gets no answers any more.
	TicketClosed Code = "ticket-closed"
)

// supportEntries lists the reasons about requests to the support.
func supportEntries() []Entry {
	return []Entry{
		{TicketPrivateKey, Malformed,
			"В файле закрытый ключ. Мы его не сохранили, но его передавали по сети: прекратите действие сертификата в удостоверяющем центре. Для обращения нужен сертификат без ключа (.cer).",
			"The file holds a private key; it was not stored, but it has travelled, so have the certificate revoked. The support needs the certificate without its key (.cer).",
			"63-ФЗ, ст. 10, п. 1"},
		{TicketFileKind, Malformed,
			"Файлы такого вида не принимаются. Приложите снимок экрана (PNG, JPEG), сертификат (.cer) или архив ZIP с ними.",
			"Files of this kind are not taken; send a picture of the screen (PNG, JPEG), a certificate (.cer) or a ZIP archive of these.", ""},
		{TicketFileDamaged, Malformed,
			"Файл не читается: он повреждён или зашифрован. Сделайте снимок экрана или выгрузите сертификат заново.",
			"The file cannot be read, it is damaged or encrypted; take the picture or export the certificate again.", ""},
		{TicketFileLarge, TooLarge,
			"Файл слишком большой. Приложите снимок поменьше: до 5 МБ и до 20 миллионов точек.",
			"The file is too large; send a picture of at most 5 MB and 20 million points.", ""},
		{TicketFilesMany, TooLarge,
			"Слишком много файлов. Приложите не больше десяти, вместе с теми, что в архивах.",
			"Too many files; send at most ten, those in archives included.", ""},
		{TicketThrottled, Limited,
			"Слишком много обращений подряд. Подождите час и повторите.",
			"Too many requests in a row; wait an hour.", ""},
		{TicketUnknown, NotFound,
			"Обращения с таким номером нет. Проверьте номер.",
			"There is no request of that number; check it.", ""},
		{TicketClosed, Conflict,
			"Обращение закрыто, ответить на него нельзя. Попросите человека написать новое.",
			"The request is closed and takes no answers; ask the person to write a new one.", ""},
	}
}
