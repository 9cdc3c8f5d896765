package page

import (
	"net/http"
	"strings"

	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/problem"
)

// Upload writes the form for a file and its signature. It works without scripts; with
// them files can be dropped on it and progress is shown.
func (b *Book) Upload(w http.ResponseWriter, r *http.Request) error {
	allowUploadScript(w.Header())
	return b.write(w, r, "verify", http.StatusOK, view{
		Title: Text{RU: "Проверка электронной подписи", EN: "Verification of an electronic signature"},
		Lead: Text{
			RU: "Выберите файл подписи и документ. Ответом будет протокол: действительна ли подпись, кто и чем подписал, и что не так, если она не прошла проверку.",
			EN: "Choose the signature and the document. The answer is a protocol: whether the signature is valid, who signed, and what is wrong if it is not.",
		},
	})
}

// allowUploadScript lets the page run its one script and send the form with it. The
// protocol, which the script puts in the place of the page, brings its own style.
func allowUploadScript(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' "+protocolStyle()+
		"; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
}

// protocolStyle is how the policy of the protocol page names its style.
func protocolStyle() string {
	for directive := range strings.SplitSeq(report.ContentSecurityPolicy(), "; ") {
		if source, found := strings.CutPrefix(directive, "style-src "); found {
			return source
		}
	}
	return ""
}

// UploadRefused writes the page about files that could not be used, with the HTTP
// status of the code.
func (b *Book) UploadRefused(w http.ResponseWriter, r *http.Request, code reason.Code) error {
	cause := entryText(code)
	title := Text{RU: "Проверить файлы не получилось", EN: "The files could not be checked"}
	steps := []Text{
		{"Вернитесь к форме и выберите файлы снова: первым — файл подписи (.sig, .p7s, .sgn, .p7m), вторым — документ, если его нет внутри подписи.",
			"Go back to the form and choose the files again: the signature first, then the document unless the signature has it inside."},
		{"Если файл подписи прислали вместе с документом, не открывайте и не меняйте документ: подпись подходит только к тем байтам, которые подписаны.",
			"Leave the document as you received it: a signature fits only the bytes that were signed."},
	}
	switch code {
	case reason.FileIsPrivateKey, reason.FileIsPKCS12:
		title = Text{RU: "Не отправляйте закрытый ключ", EN: "Never send a private key"}
		steps = []Text{
			{"Обратитесь в удостоверяющий центр, который выдал сертификат, и прекратите его действие: ключ могли перехватить.",
				"Ask the certification authority that issued the certificate to revoke it: the key may have been intercepted."},
			{"Для проверки подписи ключ не нужен: выберите файл подписи.", "A key is not needed to verify a signature: choose the signature file."},
		}
	case reason.ServerBusy, reason.QuotaExceeded, reason.InternalError, reason.TrustDataAbsent:
		steps = []Text{{"Повторите отправку через минуту. С файлами ничего делать не нужно.", "Send the files again in a minute. There is nothing to do about them."}}
	case reason.FilesSwapped:
		steps = steps[:1]
	case reason.RequestFieldMissing:
		steps = steps[:1]
		cause = Text{RU: "Файл подписи не выбран, или он пустой.", EN: "No signature was chosen, or the file is empty."}
	}
	return b.write(w, r, "failure", problem.Status(code), view{
		Title: title, Tone: "bad", Code: code, Cause: cause, Steps: steps,
		Links: []Link{{Text{RU: "Вернуться к форме", EN: "Back to the form"}, "/verify"}},
	})
}
