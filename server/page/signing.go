package page

import (
	"slices"

	"propusk/pki/reason"
)

// stepService is the next step of a person who came to sign.
func stepService() Text {
	return Text{
		RU: "Вернитесь в сервис, который попросил подпись, и начните подписание заново.",
		EN: "Go back to the service that asked for the signature and start signing again.",
	}
}

// adviceForSigning returns the advice for a code to a person who came to sign for a
// service: that of adviceFor, with the words of signing where those speak of a sign-in.
func adviceForSigning(code reason.Code) advice {
	a := adviceFor(code)
	replaced := signingTexts()
	say := func(t Text) Text {
		if other, ok := replaced[t.RU]; ok {
			return other
		}
		return t
	}
	a.Title, a.Cause, a.Steps = say(a.Title), say(a.Cause), slices.Clone(a.Steps)
	for i, step := range a.Steps {
		a.Steps[i] = say(step)
	}
	if own, ok := signingCauses()[code]; ok {
		a.Cause = own
	}
	return a
}

// signingCauses are the causes whose words in the catalogue are about a sign-in.
func signingCauses() map[reason.Code]Text {
	return map[reason.Code]Text{
		reason.ChallengeUnknown: {
			"Такое подписание здесь не начинали, или оно давно завершено.",
			"No signing of this kind was started here, or it ended long ago.",
		},
		reason.ChallengeAnswered: {
			"Ответ с подписью уже получен, второй раз он не принимается. Если подписание не завершилось, начните заново.",
			"The signature has been received already and is not taken twice; start again if the signing did not finish.",
		},
		reason.ChallengeUsed: {
			"Эта подпись уже использована: одна подпись принимается один раз.",
			"This signature has been used already, and is good once.",
		},
		reason.ChallengeOtherBrowser: {
			"Подписание начато в другом браузере. Если вы его не начинали, кто-то пытался получить вашу подпись: ничего не подписывайте по чужим ссылкам.",
			"Another browser started this signing; if you did not, somebody tried to obtain your signature: sign nothing that strangers send links to.",
		},
		reason.ChallengeOtherTab: {
			"Подписание завершается там, где поставлена подпись. Вернитесь на вкладку программы подписи; если её нет, начните заново.",
			"The signing ends in the tab in which the signature was made; go back to that tab, or start again.",
		},
		reason.ChallengeOrigin: {
			"Ответ прислала страница постороннего сайта. Закройте её.",
			"A page of another site posted the answer; close it.",
		},
		reason.ChallengeAttempts: {
			"Слишком много попыток для одного подписания.",
			"There were too many attempts for one signing.",
		},
		reason.ChallengeContent: {
			"Подписано не то, что просил этот сайт: другой документ или другой сайт. Начните заново и подпишите то, что покажет программа.",
			"The signature is over something else than this gateway asked for, such as another document or site; start again.",
		},
		reason.TrustDataStale: {
			"Сведения об удостоверяющих центрах на сервере устарели, поэтому подписи временно не принимаются.",
			"The list of accredited CAs is older than allowed, so no signatures are taken for the moment.",
		},
		reason.JournalLost: {
			"Сейчас нельзя подписать документ: действие не удаётся записать в журнал.",
			"The action cannot be written to the journal, so nothing can be signed now.",
		},
		reason.CertExpired: {
			"Сертификат, который вы выбрали, больше не действует: его срок закончился. Подписать им нельзя.",
			"The period of validity of the certificate you chose is over, so it cannot sign.",
		},
		reason.CertNotYetValid: {
			"Сертификат, который вы выбрали, начнёт действовать позже. До этого подписать им нельзя.",
			"The period of validity of the certificate you chose has not begun.",
		},
		reason.CertRevoked: {
			"Удостоверяющий центр прекратил действие этого сертификата до окончания его срока. Подписать им нельзя.",
			"The certification authority ended the validity of this certificate before its term.",
		},
		reason.CertOnHold: {
			"Удостоверяющий центр приостановил действие этого сертификата. Пока оно не возобновлено, подписать им нельзя.",
			"The certification authority suspended this certificate. It cannot sign until it is resumed.",
		},
	}
}

// signingTexts are the titles, causes and steps that several reasons share, by their
// Russian words.
func signingTexts() map[string]Text {
	closed := Text{"Подписать сейчас нельзя", "Nothing can be signed now"}
	return map[string]Text{
		stepBack().RU: stepService(),
		stepOther().RU: {
			"Если у вас есть другой сертификат, начните подписание заново и выберите его.",
			"If you have another certificate, start signing again and choose that one.",
		},
		"Этого входа или подписания уже нет": {"Этого подписания уже нет", "This signing is no more"},
		"Вход начат в другом браузере":       {"Подписание начато в другом браузере", "Another browser started this"},
		"Вход временно закрыт":               closed,
		"Этот сертификат для другого кабинета": {
			"Этот сертификат не подходит", "This certificate does not fit",
		},
		"Сертификат действителен, но выдан не тому виду владельца, для которого этот кабинет.": {
			"Сертификат действителен, но сервис ждёт подпись владельца другого вида.",
			"The certificate is good, but the service wants the signature of another kind of holder.",
		},
		"Перейдите в кабинет, который подходит к этому сертификату.": {
			"Начните подписание заново и выберите сертификат, который подходит.",
			"Start signing again and choose a certificate that fits.",
		},
		"Или выберите сертификат индивидуального предпринимателя: в нём указан ОГРНИП. Для этого закройте все окна браузера и войдите снова.": {
			"Если такого сертификата у вас нет, вернитесь в сервис без подписи.",
			"If you have none, go back to the service without signing.",
		},
		"Дождитесь даты начала, указанной выше, и войдите снова.": {
			"Дождитесь даты начала, указанной выше, и подпишите снова.",
			"Wait until the date of beginning shown above, then sign again.",
		},
		"Сертификат неквалифицированной подписи (например, из личного кабинета физического лица) для входа не подходит.": {
			"Сертификат неквалифицированной подписи (например, из личного кабинета физического лица) не подходит.",
			"A certificate of an unqualified signature, such as one made in the cabinet of a natural person, does not fit.",
		},
		"У сервера нет свежего списка отозванных сертификатов этого удостоверяющего центра. Пока его нет, вход закрыт: так защищены владельцы отозванных сертификатов.": {
			"У сервера нет свежего списка отозванных сертификатов этого удостоверяющего центра. Пока его нет, подписи не принимаются: так защищены владельцы отозванных сертификатов.",
			"The server has no fresh revocation list of this certification authority. No signatures are taken until it has one.",
		},
		"Если вход начинали вы, а cookie в браузере выключены, разрешите их для этого сайта.": {
			"Если подписание начинали вы, а cookie в браузере выключены, разрешите их для этого сайта.",
			"If it was you, and cookies are switched off, allow them for this site.",
		},
		"Если вход начинали не вы, сообщите в техническую поддержку, по какой ссылке пришли.": {
			"Если подписание начинали не вы, сообщите в техническую поддержку, по какой ссылке пришли.",
			"If it was not you, tell technical support which link brought you here.",
		},
	}
}
