package reason

// Reasons about OCSP and about asking servers for revocation data.
const (
	// OCSPMalformed means that the bytes are not an OCSP message we can read.
	OCSPMalformed Code = "ocsp-malformed"
	// OCSPTooLarge means that the OCSP message exceeds a limit.
	OCSPTooLarge Code = "ocsp-too-large"
	// OCSPRefused means that the responder answered that it will not or cannot
	// answer: try later, unauthorized and so on.
	OCSPRefused Code = "ocsp-refused"
	// OCSPUnsupported means that the response has an unknown critical extension
	// or algorithm.
	OCSPUnsupported Code = "ocsp-unsupported"
	// OCSPSignatureBad means that the signature of the response does not verify.
	OCSPSignatureBad Code = "ocsp-signature-bad"
	// OCSPSignerUnauthorized means that the response was signed neither by the
	// issuer of the certificate nor by a responder that the issuer empowered.
	OCSPSignerUnauthorized Code = "ocsp-signer-unauthorized"
	// OCSPSignerInvalid means that the certificate of the empowered responder is
	// out of date or revoked, or that this is not known.
	OCSPSignerInvalid Code = "ocsp-signer-invalid"
	// OCSPNonceMismatch means that the response does not return the nonce of the
	// request, so it may be an old one that was recorded.
	OCSPNonceMismatch Code = "ocsp-nonce-mismatch"
	// OCSPOtherCertificate means that the response says nothing about the
	// certificate that was asked about.
	OCSPOtherCertificate Code = "ocsp-other-certificate"
	// CertUnknownToIssuer means that the responder of the issuer answers that it
	// does not know the certificate.
	CertUnknownToIssuer Code = "certificate-unknown-to-issuer"
	// RevocationUnreachable means that no server that could tell whether the
	// certificate is revoked gave a usable answer.
	RevocationUnreachable Code = "revocation-unreachable"
)

func ocspEntries() []Entry {
	return []Entry{
		{
			OCSPMalformed, Malformed,
			"Файл не является ответом службы проверки статуса сертификатов (OCSP) или повреждён. Получите ответ заново.",
			"The bytes are not an OCSP message or are damaged; get the response again.",
			"RFC 6960, 4",
		},
		{
			OCSPTooLarge, TooLarge,
			"Ответ службы проверки статуса сертификатов (OCSP) больше допустимого. Проверьте, тот ли файл вы выбрали.",
			"The OCSP message exceeds a limit; check that it is the right file.",
			"",
		},
		{
			OCSPRefused, Unavailable,
			"Служба проверки статуса сертификатов удостоверяющего центра отказалась отвечать. Повторите попытку позже.",
			"The OCSP responder answered with an error status; try again later.",
			"RFC 6960, 2.3",
		},
		{
			OCSPUnsupported, Unsupported,
			"Ответ службы проверки статуса сертификатов (OCSP) использует неизвестные возможности. Используйте список отозванных сертификатов удостоверяющего центра.",
			"The OCSP response has an unknown critical extension or algorithm; use the revocation list of the CA.",
			"RFC 6960, 4.1.2",
		},
		{
			OCSPSignatureBad, Policy,
			"Подпись ответа о статусе сертификата (OCSP) неверна. Получите ответ заново.",
			"The signature of the OCSP response does not verify; get the response again.",
			"RFC 6960, 3.2",
		},
		{
			OCSPSignerUnauthorized, Policy,
			"Ответ о статусе сертификата (OCSP) подписан тем, кого удостоверяющий центр на это не уполномочил. Обратитесь в удостоверяющий центр.",
			"The OCSP response was signed neither by the issuer nor by a responder that it empowered; ask the certification authority.",
			"RFC 6960, 4.2.2.2",
		},
		{
			OCSPSignerInvalid, Policy,
			"Сертификат службы проверки статуса сертификатов (OCSP) не действует или его действие не подтверждено. Обратитесь в удостоверяющий центр.",
			"The certificate of the OCSP responder is out of date or revoked, or its own status is unknown; ask the certification authority.",
			"RFC 6960, 4.2.2.2.1",
		},
		{
			OCSPNonceMismatch, Policy,
			"Ответ о статусе сертификата (OCSP) дан не на этот запрос. Повторите попытку.",
			"The OCSP response does not return the nonce of the request, so it may be a replay; try again.",
			"RFC 9654, 2.1",
		},
		{
			OCSPOtherCertificate, Policy,
			"Ответ о статусе сертификата (OCSP) дан о другом сертификате. Получите ответ об этом сертификате.",
			"The OCSP response says nothing about this certificate; get one that does.",
			"RFC 6960, 3.2",
		},
		{
			CertUnknownToIssuer, Policy,
			"Удостоверяющий центр ответил, что не знает этого сертификата. Обратитесь в удостоверяющий центр, указанный в сертификате.",
			"The responder of the issuer does not know the certificate; ask the certification authority that it names.",
			"RFC 6960, 2.2",
		},
		{
			RevocationUnreachable, Unavailable,
			"Не удалось узнать, не отозван ли сертификат: серверы удостоверяющего центра не дали пригодного ответа. Повторите попытку позже.",
			"It is unknown whether the certificate is revoked: no server of the issuer gave a usable answer; try again later.",
			"RFC 5280, 6.3",
		},
	}
}
