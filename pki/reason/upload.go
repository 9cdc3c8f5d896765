package reason

// Reasons about files that are sent for verification, and about who may send them.
const (
	// FileIsPrivateKey means that a private key, or a container of one, was sent.
	// It must not be stored, logged or repeated.
	FileIsPrivateKey Code = "file-is-private-key"
	// FileIsPKCS12 means that a PKCS #12 container, which holds a key, was sent.
	FileIsPKCS12 Code = "file-is-pkcs12"
	// FileIsCertificate means that a certificate was sent instead of a signature.
	FileIsCertificate Code = "file-is-certificate"
	// FileIsCertificateRequest means that a request for a certificate was sent
	// instead of a signature.
	FileIsCertificateRequest Code = "file-is-certificate-request"
	// FileIsCRL means that a revocation list was sent instead of a signature.
	FileIsCRL Code = "file-is-crl"
	// FileIsTimeStamp means that an answer of a time-stamping service was sent
	// instead of a signature.
	FileIsTimeStamp Code = "file-is-time-stamp"
	// FileIsEncrypted means that an encrypted message was sent instead of a
	// signature.
	FileIsEncrypted Code = "file-is-encrypted"
	// FileIsArchive means that a ZIP, RAR, 7z or gzip archive was sent instead of a
	// signature.
	FileIsArchive Code = "file-is-archive"
	// FileIsPDF means that a PDF document was sent instead of a signature.
	FileIsPDF Code = "file-is-pdf"
	// FileIsXML means that an XML or HTML document was sent instead of a signature.
	FileIsXML Code = "file-is-xml"
	// FileIsDocument means that a picture or an office document was sent instead of
	// a signature.
	FileIsDocument Code = "file-is-document"
	// FilesSwapped means that the signature was sent as the document.
	FilesSwapped Code = "files-swapped"

	// DigestAlgorithmUnknown means that a digest is of an algorithm that we do not
	// know.
	DigestAlgorithmUnknown Code = "digest-algorithm-unknown"
	// DigestBad means that a digest is neither hexadecimal nor base64 of the length
	// that its algorithm has.
	DigestBad Code = "digest-malformed"
	// BatchTooLong means that a batch has more items than allowed.
	BatchTooLong Code = "batch-too-long"

	// APIKeyMissing means that the interface wants a key, and there is none.
	APIKeyMissing Code = "api-key-missing"
	// APIKeyUnknown means that the key is not one of ours.
	APIKeyUnknown Code = "api-key-unknown"
	// QuotaExceeded means that the client has used up what it may.
	QuotaExceeded Code = "quota-exceeded"
)

// uploadEntries lists the reasons about files and who may send them.
func uploadEntries() []Entry {
	return append(append(secretFileEntries(), wrongFileEntries()...), clientLimitEntries()...)
}

// secretFileEntries lists files that nobody should have sent.
func secretFileEntries() []Entry {
	return []Entry{
		{
			FileIsPrivateKey, Malformed,
			"Вы отправили закрытый ключ. Мы его не сохранили, но ключ, который передавали по сети, считайте раскрытым: прекратите действие сертификата в удостоверяющем центре и никогда не отправляйте ключ; для проверки нужен файл подписи.",
			"A private key was sent; it was not stored, but treat it as disclosed, have the certificate revoked, and send the signature file instead.",
			"63-ФЗ, ст. 10, п. 1",
		},
		{
			FileIsPKCS12, Malformed,
			"Это контейнер с закрытым ключом (PFX, PKCS #12), а не подпись. Мы его не сохранили, но его передавали по сети: прекратите действие сертификата в удостоверяющем центре и никому не отправляйте контейнер; для проверки нужен файл подписи (.sig, .p7s, .sgn).",
			"This is a PKCS #12 container with a private key, not a signature; it was not stored, but it has travelled, so have the certificate revoked, never send it to anyone, and send the signature file instead.",
			"63-ФЗ, ст. 10, п. 1; RFC 7292",
		},
	}
}

// wrongFileEntries lists files that are not signatures.
func wrongFileEntries() []Entry {
	return []Entry{
		{
			FileIsCertificate, Malformed,
			"Это сертификат, а не подпись. Выберите файл подписи (.sig, .p7s, .sgn) или воспользуйтесь проверкой сертификата.",
			"This is a certificate, not a signature; send the signature file, or use the check of certificates.",
			"RFC 5280, 4.1",
		},
		{
			FileIsCertificateRequest, Malformed,
			"Это запрос на сертификат, а не подпись. Выберите файл подписи (.sig, .p7s, .sgn).",
			"This is a certificate request, not a signature; send the signature file.",
			"RFC 2986",
		},
		{
			FileIsCRL, Malformed,
			"Это список отозванных сертификатов, а не подпись. Выберите файл подписи (.sig, .p7s, .sgn).",
			"This is a revocation list, not a signature; send the signature file.",
			"RFC 5280, 5.1",
		},
		{
			FileIsTimeStamp, Malformed,
			"Это ответ службы штампов времени, а не подпись документа. Выберите файл подписи: штамп времени лежит внутри неё.",
			"This is an answer of a time-stamping service, not a signature of a document; send the signature that the time-stamp belongs to.",
			"RFC 3161, 2.4.2",
		},
		{
			FileIsEncrypted, Malformed,
			"Это зашифрованное сообщение, а не подпись. Расшифруйте его своим ключом и проверьте то, что получится.",
			"This is an encrypted message, not a signature; decrypt it and verify what comes out.",
			"RFC 5652, 6.1",
		},
		{
			FileIsArchive, Malformed,
			"Это архив или документ Office, а не подпись. Распакуйте архив и выберите в нём файл подписи (.sig, .p7s, .sgn); сам документ добавьте вторым файлом.",
			"This is an archive or an office document, not a signature; unpack it, send the signature file, and the document beside it.",
			"",
		},
		{
			FileIsPDF, Malformed,
			"Это документ PDF, а не файл подписи. Выберите файл отсоединённой подписи (.sig, .p7s, .sgn), а PDF добавьте как документ; подписи внутри PDF здесь не проверяются.",
			"This is a PDF document, not a signature; send the detached signature and the PDF as the content, signatures inside PDF are not read here.",
			"ISO 32000-2, 12.8",
		},
		{
			FileIsXML, Malformed,
			"Это документ XML или HTML, а не файл подписи. Выберите файл подписи (.sig, .p7s, .sgn), а XML добавьте как документ; подписи внутри XML здесь не проверяются.",
			"This is an XML or HTML document, not a signature; send the signature and the XML as the content, signatures inside XML are not read here.",
			"",
		},
		{
			FileIsDocument, Malformed,
			"Это картинка или документ, а не подпись. Выберите файл подписи (.sig, .p7s, .sgn), а документ добавьте вторым файлом.",
			"This is a picture or a document, not a signature; send the signature, and the document as the content.",
			"",
		},
		{
			FilesSwapped, Malformed,
			"Файлы перепутаны местами: подпись передана как документ. Поменяйте файлы местами и повторите отправку.",
			"The signature was sent as the document; swap the two files and send them again.",
			"",
		},
		{
			DigestAlgorithmUnknown, Malformed,
			"Алгоритм хэша не известен. Укажите streebog256, streebog512, gostr94, sha256, sha384, sha512 или OID одного из них.",
			"The digest algorithm is unknown; name streebog256, streebog512, gostr94, sha256, sha384, sha512 or the OID of one of them.",
			"",
		},
		{
			DigestBad, Malformed,
			"Хэш передан неверно: длина не подходит к алгоритму или запись повреждена. Передайте его целиком в шестнадцатеричной записи или в Base64.",
			"The digest is not hexadecimal or base64 of the length that its algorithm has; send it whole.",
			"",
		},
		{
			BatchTooLong, TooLarge,
			"В пакете слишком много подписей. Разделите его на части и отправьте по очереди.",
			"The batch has more items than allowed; divide it and send the parts one after another.",
			"",
		},
	}
}

// clientLimitEntries lists why a client is not served now.
func clientLimitEntries() []Entry {
	return []Entry{
		{
			APIKeyMissing, Credential,
			"Для этого запроса нужен ключ доступа. Получите его у владельца сервиса и передайте в заголовке Authorization.",
			"An API key is needed; obtain one from the operator and send it as a Bearer token.",
			"RFC 6750, 3",
		},
		{
			APIKeyUnknown, Credential,
			"Ключ доступа неверен или отменён. Проверьте его или получите новый у владельца сервиса.",
			"The API key is not one of ours; correct it or obtain a new one from the operator.",
			"RFC 6750, 3.1",
		},
		{
			QuotaExceeded, Limited,
			"Вы исчерпали разрешённое число запросов. Подождите и повторите отправку.",
			"The quota is used up; wait for as long as Retry-After says and send the request again.",
			"RFC 6585, 4",
		},
	}
}
