package reason

// Reasons about time-stamps.
const (
	// TimeStampMalformed means that the bytes are not a time-stamp, a request for
	// one or a response that we can read.
	TimeStampMalformed Code = "time-stamp-malformed"
	// TimeStampTooLarge means that a time-stamp exceeds a limit.
	TimeStampTooLarge Code = "time-stamp-too-large"
	// TimeStampImprint means that the time-stamp is of other data.
	TimeStampImprint Code = "time-stamp-imprint"
	// TimeStampAlgorithm means that the digest in the time-stamp is of an algorithm
	// that we do not know or no longer take.
	TimeStampAlgorithm Code = "time-stamp-algorithm"
	// TimeStampBad means that the signature of the time-stamp is bad, or is not of
	// the form that the standard demands.
	TimeStampBad Code = "time-stamp-bad"
	// TimeStampSigner means that the certificate which signed the time-stamp is not
	// one for time-stamps only, or is not that of the authority named inside.
	TimeStampSigner Code = "time-stamp-signer"
	// TimeStampUnavailable means that the time-stamping authority did not answer.
	TimeStampUnavailable Code = "time-stamp-unavailable"
	// TimeStampRefused means that the time-stamping authority refused the request.
	TimeStampRefused Code = "time-stamp-refused"
	// TimeStampForeign means that the authority answered with a time-stamp for
	// another request: another nonce, digest or policy.
	TimeStampForeign Code = "time-stamp-foreign"
)

// timestampEntries lists the reasons about time-stamps.
func timestampEntries() []Entry {
	return []Entry{
		{
			TimeStampMalformed, Malformed,
			"Штамп времени не прочитан: файл повреждён или это не штамп времени. Получите файл подписи заново.",
			"The time-stamp cannot be read: it is damaged or is no time-stamp; obtain the signature file again.",
			"RFC 3161, 2.4",
		},
		{
			TimeStampTooLarge, TooLarge,
			"Штамп времени больше допустимого. Получите файл подписи заново у отправителя.",
			"The time-stamp exceeds a limit of size; obtain the signature file again from its sender.",
			"",
		},
		{
			TimeStampImprint, Policy,
			"Штамп времени поставлен на другие данные и этой подписи не касается. Попросите подписавшего усовершенствовать подпись заново.",
			"The time-stamp is of other data and says nothing about this signature; ask the signer to have it stamped again.",
			"RFC 3161, 2.4.2",
		},
		{
			TimeStampAlgorithm, Unsupported,
			"Штамп времени использует алгоритм, который программа не поддерживает. Попросите подписавшего получить штамп по ГОСТ Р 34.11-2012.",
			"The time-stamp uses a digest algorithm that is not supported; ask the signer for one with GOST R 34.11-2012.",
			"RFC 3161, 2.4.1",
		},
		{
			TimeStampBad, Policy,
			"Подпись службы штампов времени неверна. Время подписания не доказано; попросите подписавшего получить штамп заново.",
			"The signature of the time-stamp is bad, so the time is not proven; ask the signer to have it stamped again.",
			"RFC 3161, 2.4.2",
		},
		{
			TimeStampSigner, Policy,
			"Штамп времени подписан сертификатом, который не предназначен для службы штампов времени. Попросите подписавшего получить штамп в аккредитованной службе.",
			"The certificate that signed the time-stamp is not one of a time-stamping authority; ask the signer for a stamp of an accredited service.",
			"RFC 3161, 2.3",
		},
		{
			TimeStampUnavailable, Unavailable,
			"Служба штампов времени не ответила. Повторите позже или укажите другой адрес службы.",
			"The time-stamping authority did not answer; try again later or name the address of another one.",
			"RFC 3161, 3.4",
		},
		{
			TimeStampRefused, Policy,
			"Служба штампов времени отклонила запрос. Обратитесь к оператору службы или укажите другую службу.",
			"The time-stamping authority refused the request; ask its operator or name another one.",
			"RFC 3161, 2.4.2",
		},
		{
			TimeStampForeign, Policy,
			"Служба штампов времени ответила не на наш запрос. Не используйте эту службу, пока её оператор не объяснит причину.",
			"The time-stamping authority answered another request than ours; do not use it until its operator explains why.",
			"RFC 3161, 2.2",
		},
	}
}
