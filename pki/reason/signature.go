package reason

// Reasons about signatures and signed documents.
const (
	// SignatureMalformed means that the bytes are not a CMS signature we can
	// read.
	SignatureMalformed Code = "signature-malformed"
	// SignatureTooLarge means that the signature exceeds a limit of size, depth
	// or count.
	SignatureTooLarge Code = "signature-too-large"
	// SignatureTypeUnsupported means that the file is well formed, but is not a
	// signature: an encrypted message, a time-stamp request and so on.
	SignatureTypeUnsupported Code = "signature-type-unsupported"
	// NoSigners means that the file carries no signature at all.
	NoSigners Code = "no-signers"
	// SignatureBad means that the signature does not verify with the key of the
	// certificate that it names.
	SignatureBad Code = "signature-bad"
	// ContentMissing means that the signature is detached and the document was
	// not given.
	ContentMissing Code = "content-missing"
	// ContentChanged means that the document is not the one that was signed.
	ContentChanged Code = "content-changed"
	// ContentMismatch means that the document inside the signature differs from
	// the document that was given beside it.
	ContentMismatch Code = "content-mismatch"
	// ContentIsAttributes means that the signed bytes are themselves a set of
	// signed attributes, so a signature over something else was reused.
	ContentIsAttributes Code = "content-is-attributes"
	// SignerCertMissing means that the certificate of the signer is not in the
	// signature and was not given.
	SignerCertMissing Code = "signer-certificate-missing"
	// SignerCertMismatch means that the signature was made for another
	// certificate than the one it comes with.
	SignerCertMismatch Code = "signer-certificate-mismatch"
	// SignatureAlgorithmUnsupported means that the algorithm of the signature
	// or of its digest is unknown to us; nothing is said about the signature.
	SignatureAlgorithmUnsupported Code = "signature-algorithm-unsupported"
	// SignatureAlgorithmMismatch means that the digest, the signature algorithm
	// and the key do not fit together.
	SignatureAlgorithmMismatch Code = "signature-algorithm-mismatch"
	// SignatureAttributesBad means that a mandatory signed attribute is absent,
	// repeated or malformed.
	SignatureAttributesBad Code = "signature-attributes-bad"
	// ContentTypeMismatch means that the type of the content differs from the
	// type that was signed.
	ContentTypeMismatch Code = "content-type-mismatch"
	// SignatureFormatBad means that the signature breaks a rule of its format
	// that leaves a part of it unprotected.
	SignatureFormatBad Code = "signature-format-bad"
	// AccreditationUnknown means that there is no list of accredited CAs to look
	// the issuer up in.
	AccreditationUnknown Code = "accreditation-unknown"
)

// signatureEntries lists the reasons about signatures and signed documents.
func signatureEntries() []Entry {
	return append(signatureFormEntries(), signatureMathEntries()...)
}

// signatureFormEntries lists what can be wrong with the file of a signature.
func signatureFormEntries() []Entry {
	return []Entry{
		{
			SignatureMalformed, Malformed,
			"Файл подписи не удалось прочитать: он повреждён или это не электронная подпись. Получите файл подписи у отправителя ещё раз.",
			"The signature cannot be read: it is damaged or is not a CMS signature; get the signature file again.",
			"RFC 5652, 5",
		},
		{
			SignatureTooLarge, TooLarge,
			"Файл подписи больше допустимого. Проверьте, тот ли файл вы выбрали; большой документ передайте отдельно от подписи.",
			"The signature exceeds a limit of size, depth or count; check the file, and send a large document apart from its signature.",
			"",
		},
		{
			SignatureTypeUnsupported, Unsupported,
			"Это не файл электронной подписи, а сообщение другого вида (например, зашифрованное). Выберите файл подписи.",
			"The file is a CMS message of another type than signed-data; choose the file of the signature.",
			"RFC 5652, 5.1",
		},
		{
			NoSigners, Policy,
			"В файле нет ни одной подписи. Получите подписанный документ у отправителя ещё раз.",
			"The file holds no signature at all; get the signed document again.",
			"RFC 5652, 5.1",
		},
		{
			SignatureAttributesBad, Policy,
			"Подпись составлена неправильно: обязательные сведения о подписанном документе отсутствуют или повторяются. Попросите подписать документ заново.",
			"A mandatory signed attribute is absent, repeated or malformed; ask for a new signature.",
			"RFC 5652, 11",
		},
		{
			ContentTypeMismatch, Policy,
			"Подпись относится к данным другого вида. Попросите подписать документ заново.",
			"The content type differs from the one that was signed; ask for a new signature.",
			"RFC 5652, 11.1",
		},
		{
			SignatureFormatBad, Policy,
			"Подпись составлена с нарушением формата. Попросите подписать документ заново другой программой.",
			"The signature breaks a rule of its format; ask for a new signature made with other software.",
			"RFC 5652, 5",
		},
	}
}

// signatureMathEntries lists what can be wrong with a signature that was read.
func signatureMathEntries() []Entry {
	return []Entry{
		{
			SignatureBad, Policy,
			"Подпись неверна: она не соответствует ключу из сертификата. Попросите подписать документ заново.",
			"The signature does not verify with the key of the signer's certificate; ask for a new signature.",
			"63-ФЗ, ст. 11, п. 3",
		},
		{
			ContentMissing, Unavailable,
			"Подпись хранится отдельно от документа, а документ не приложен. Приложите документ, который был подписан.",
			"The signature is detached and the document was not given; send the document as well.",
			"RFC 5652, 5.2",
		},
		{
			ContentChanged, Policy,
			"Документ изменён после подписания, или подпись относится к другому документу. Проверьте, тот ли документ вы приложили.",
			"The document was changed after signing, or the signature belongs to another document; check the document.",
			"63-ФЗ, ст. 11, п. 3",
		},
		{
			ContentMismatch, Policy,
			"Документ внутри подписи отличается от приложенного документа. Проверьте, какой из них подписан.",
			"The document inside the signature differs from the one given beside it; check which of them was signed.",
			"RFC 5652, 5.2",
		},
		{
			ContentIsAttributes, Policy,
			"Подпись не относится к этим данным: под видом документа переданы служебные сведения другой подписи. Не доверяйте этому файлу.",
			"The content is the signed attributes of another signature: a signature is being passed off as one over other data; do not trust the file.",
			"RFC 5652, 5.4",
		},
		{
			SignerCertMissing, Unavailable,
			"В подписи нет сертификата подписавшего, поэтому неизвестно, кто подписал. Попросите подписать документ с включением сертификата.",
			"The signer's certificate is neither in the signature nor given beside it; ask for a signature that includes it.",
			"RFC 5652, 5.3",
		},
		{
			SignerCertMismatch, Policy,
			"Подпись сделана для другого сертификата, чем тот, что к ней приложен. Попросите подписать документ заново.",
			"The signing-certificate attribute names another certificate than the one given; ask for a new signature.",
			"RFC 5035, 3",
		},
		{
			SignatureAlgorithmUnsupported, Unsupported,
			"Подпись сделана по алгоритму, который мы не проверяем (например, по стандарту другой страны). Проверьте её средствами того, кто её выдал.",
			"The signature or digest algorithm is not supported; nothing is said about the signature, verify it with other tools.",
			"",
		},
		{
			SignatureAlgorithmMismatch, Policy,
			"Алгоритмы в подписи противоречат ключу сертификата. Попросите подписать документ заново.",
			"The digest, the signature algorithm and the key do not fit together; ask for a new signature.",
			"RFC 9215, 2",
		},
		{
			AccreditationUnknown, Unavailable,
			"Перечень аккредитованных удостоверяющих центров не загружен, поэтому аккредитацию проверить нельзя. Повторите проверку позже.",
			"No list of accredited CAs is loaded, so accreditation cannot be judged; try again later.",
			"63-ФЗ, ст. 11, п. 1",
		},
	}
}
