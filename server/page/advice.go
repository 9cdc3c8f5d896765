package page

import "propusk/pki/reason"

// advice is what a page says about a reason: what happened, and what to do, step
// by step. Every reason of the catalogue has at least its two sentences; the
// ones that people meet at sign-in have their own page here.
type advice struct {
	Title Text
	Cause Text
	Steps []Text
}

// adviceFor returns the advice for a code. A code without a page of its own is
// told by the sentence of the catalogue.
func adviceFor(code reason.Code) advice {
	for _, find := range []func(reason.Code) (advice, bool){certificateAdvice, revocationAdvice, issuerAdvice, holderAdvice, serverAdvice, flowAdvice, challengeAdvice, formAdvice, visitAdvice, accountAdvice, loginAdvice, registrationAdvice} {
		if a, ok := find(code); ok {
			return a
		}
	}
	e, ok := reason.Lookup(code)
	if !ok {
		e, _ = reason.Lookup(reason.InternalError)
	}
	return advice{
		Title: Text{RU: "Не получилось", EN: "This did not work"},
		Cause: Text{RU: e.RU, EN: e.EN},
		Steps: []Text{stepBack()},
	}
}

func stepOther() Text {
	return Text{
		RU: "Если у вас есть другой сертификат, закройте все окна браузера, откройте его снова и выберите этот сертификат.",
		EN: "If you have another certificate, close all windows of the browser, open it again and choose that one.",
	}
}

func stepNewFNS() Text {
	return Text{
		RU: "Получите новый сертификат: индивидуальным предпринимателям и руководителям организаций его бесплатно выдаёт удостоверяющий центр ФНС России в налоговой инспекции или у доверенных лиц.",
		EN: "Obtain a new certificate: the CA of the Federal Tax Service issues them free of charge to entrepreneurs and heads of companies.",
	}
}

func stepBack() Text {
	return Text{
		RU: "Вернитесь в личный кабинет и начните вход заново.",
		EN: "Go back to the service and start again.",
	}
}

func stepLater() Text {
	return Text{
		RU: "Повторите попытку через несколько минут. С вашим сертификатом и ключом ничего делать не нужно.",
		EN: "Try again in a few minutes. There is nothing to do about your certificate or key.",
	}
}

// certificateAdvice is about the certificate itself.
func certificateAdvice(code reason.Code) (advice, bool) {
	switch code {
	case reason.NoCertificate:
		return noCertificate(), true
	case reason.CertExpired:
		return advice{
			Title: Text{"Срок действия сертификата истёк", "The certificate has expired"},
			Cause: Text{
				"Сертификат, который вы выбрали, больше не действует: его срок закончился. Войти с ним нельзя.",
				"The period of validity of the certificate you chose is over, so it cannot be used to sign in.",
			},
			Steps: []Text{
				stepOther(), stepNewFNS(),
				{"Заново регистрироваться с новым сертификатом не нужно: личный кабинет узнает вас по ИНН.", "There is no need to register again: the service knows you by your ИНН."},
				{"Если по датам, указанным выше, срок ещё не закончился, сообщите об этом в техническую поддержку.", "If by the dates shown above it should still be valid, tell technical support."},
			},
		}, true
	case reason.CertNotYetValid:
		return advice{
			Title: Text{"Срок действия сертификата ещё не начался", "The certificate is not valid yet"},
			Cause: Text{
				"Сертификат, который вы выбрали, начнёт действовать позже. До этого войти с ним нельзя.",
				"The period of validity of the certificate you chose has not begun.",
			},
			Steps: []Text{
				{"Дождитесь даты начала, указанной выше, и войдите снова.", "Wait until the date of beginning shown above, then sign in again."},
				stepOther(),
				{"Если сертификат уже должен действовать, обратитесь в удостоверяющий центр, который его выдал.", "If it should be valid already, ask the certification authority that issued it."},
			},
		}, true
	}
	return advice{}, false
}

// revocationAdvice is about a certificate that its authority took back.
func revocationAdvice(code reason.Code) (advice, bool) {
	switch code {
	case reason.CertRevoked:
		return advice{
			Title: Text{"Сертификат отозван", "The certificate has been revoked"},
			Cause: Text{
				"Удостоверяющий центр прекратил действие этого сертификата до окончания его срока. Войти с ним нельзя.",
				"The certification authority ended the validity of this certificate before its term.",
			},
			Steps: []Text{
				{"Вспомните, не получали ли вы недавно новый сертификат: старый при этом отзывают. Тогда выберите новый.", "If you obtained a new certificate lately, the old one was revoked: choose the new one."},
				{"Если вы не просили об отзыве, сразу свяжитесь с удостоверяющим центром: возможно, ключом пытались воспользоваться посторонние.", "If you did not ask for it, call the certification authority at once: somebody may have tried to use your key."},
				stepNewFNS(),
			},
		}, true
	case reason.CertOnHold:
		return advice{
			Title: Text{"Действие сертификата приостановлено", "The certificate is on hold"},
			Cause: Text{
				"Удостоверяющий центр приостановил действие этого сертификата. Пока оно не возобновлено, войти с ним нельзя.",
				"The certification authority suspended this certificate. It cannot be used to sign in until it is resumed.",
			},
			Steps: []Text{
				{"Обратитесь в удостоверяющий центр, который выдал сертификат: он скажет, почему действие приостановлено и когда возобновится.", "Ask the certification authority that issued it why it is on hold and until when."},
				stepOther(),
			},
		}, true
	}
	return advice{}, false
}

func noCertificate() advice {
	return advice{
		Title: Text{"Сертификат не предъявлен", "No certificate was presented"},
		Cause: Text{
			"Браузер подключился по ГОСТ, но не показал ни одного сертификата: носитель не подключён, сертификат не установлен или вы закрыли окно выбора.",
			"The browser connected over GOST TLS but presented no certificate: the token is absent, the certificate is not installed, or the choice was cancelled.",
		},
		Steps: []Text{
			{"Подключите носитель ключа (Рутокен, eToken, JaCarta) и дождитесь, пока загорится индикатор.", "Insert the token and wait for its light."},
			{"Установите сертификат с носителя в хранилище «Личные»: в программе криптопровайдера откройте контейнер и нажмите «Установить».", "Install the certificate from the token into the personal store with the tools of your cryptographic provider."},
			{"Закройте все окна браузера, откройте его снова, повторите вход, выберите сертификат и введите PIN-код.", "Close all windows of the browser, open it again, sign in, choose the certificate and enter the PIN."},
		},
	}
}

// issuerAdvice is about who issued the certificate.
func issuerAdvice(code reason.Code) (advice, bool) {
	switch code {
	case reason.UnknownCA:
		return advice{
			Title: Text{"Удостоверяющий центр неизвестен", "The certification authority is unknown"},
			Cause: Text{
				"Сертификат выдан удостоверяющим центром, от которого нет цепочки доверия к головному удостоверяющему центру Минцифры России. Такие сертификаты выдают, например, для внутреннего пользования или для проверки программ.",
				"No chain leads from the issuer of this certificate to the head certification authority. Such certificates are issued for internal use or for tests.",
			},
			Steps: []Text{stepOther(), stepNewFNS(), {
				"Если сертификат выдал аккредитованный удостоверяющий центр, сообщите об этом в техническую поддержку и приложите файл сертификата без закрытого ключа.",
				"If an accredited certification authority issued it, tell support and attach the certificate file without the private key.",
			}},
		}, true
	case reason.CANotAccredited, reason.CANotListed:
		return advice{
			Title: Text{"Удостоверяющий центр не аккредитован", "The certification authority is not accredited"},
			Cause: Text{
				"Аккредитация удостоверяющего центра, который выдал сертификат, прекращена или её не было в день выдачи. Вместе с аккредитацией прекращают действие и выданные им сертификаты.",
				"The accreditation of the issuer has ended, or it did not have one on the day of issue. Certificates end together with the accreditation.",
			},
			Steps: []Text{stepNewFNS(), stepOther(), {
				"Перечень аккредитованных удостоверяющих центров публикует Минцифры России.",
				"The list of accredited certification authorities is published by the Ministry of Digital Development.",
			}},
		}, true
	case reason.NotQualified, reason.IssuerNotFNS:
		return advice{
			Title: Text{"Сертификат не квалифицированный", "The certificate is not qualified"},
			Cause: Text{
				"Сертификат не отвечает требованиям к квалифицированному сертификату: в нём нет обязательных сведений или его выдал удостоверяющий центр, который не вправе выдавать такие сертификаты.",
				"The certificate breaks the rules for qualified certificates: mandatory data are absent, or the issuer may not issue such certificates.",
			},
			Steps: []Text{stepOther(), stepNewFNS(), {
				"Сертификат неквалифицированной подписи (например, из личного кабинета физического лица) для входа не подходит.",
				"A certificate of an unqualified signature, such as one made in the cabinet of a natural person, does not fit.",
			}},
		}, true
	}
	return advice{}, false
}

// holderAdvice is about whose certificate it is.
func holderAdvice(code reason.Code) (advice, bool) {
	switch code {
	case reason.WrongHolderKind:
		return advice{
			Title: Text{"Этот сертификат для другого кабинета", "This certificate is for another cabinet"},
			Cause: Text{
				"Сертификат действителен, но выдан не тому виду владельца, для которого этот кабинет.",
				"The certificate is good, but its holder is of another kind than this cabinet serves.",
			},
			Steps: []Text{
				{"Перейдите в кабинет, который подходит к этому сертификату.", "Go to the cabinet that fits this certificate."},
				{"Или выберите сертификат индивидуального предпринимателя: в нём указан ОГРНИП. Для этого закройте все окна браузера и войдите снова.", "Or choose a certificate of an entrepreneur, which states ОГРНИП: close all windows of the browser and sign in again."},
			},
		}, true
	case reason.GOSTTLSRequired:
		return advice{
			Title: Text{"Нужен браузер с поддержкой ГОСТ TLS", "A browser with GOST TLS is needed"},
			Cause: Text{
				"Браузер подключился без шифрования по ГОСТ, поэтому показать сертификат электронной подписи он не может.",
				"The browser connected over ordinary TLS, in which a GOST certificate cannot be presented.",
			},
			Steps: []Text{
				{"Установите криптопровайдер (например, КриптоПро CSP 5.0) с действующей лицензией.", "Install a cryptographic provider, such as CryptoPro CSP 5.0, with a valid licence."},
				{"Откройте эту страницу в браузере с поддержкой ГОСТ: Chromium-Gost или Яндекс Браузер.", "Open this page in a browser with GOST TLS: Chromium-Gost or Yandex Browser."},
				{"Если браузер уже такой, закройте все его окна и окна обычного Chromium; выключите проверку защищённых соединений в антивирусе.", "If it is such a browser already, close all its windows and those of ordinary Chromium; switch off the inspection of protected connections in the antivirus."},
			},
		}, true
	case reason.ConnectionKeyMismatch:
		return advice{
			Title: Text{"Ключ не соответствует сертификату", "The key does not match the certificate"},
			Cause: entryText(code),
			Steps: []Text{stepOther(), stepNewFNS()},
		}, true
	}
	return advice{}, false
}

// serverAdvice is about what the person cannot help.
func serverAdvice(code reason.Code) (advice, bool) {
	switch code {
	case reason.RevocationUnknown, reason.RevocationStale, reason.RevocationUnusable, reason.RevocationUnreachable:
		return advice{
			Title: Text{"Проверить сертификат сейчас нельзя", "The certificate cannot be checked now"},
			Cause: Text{
				"У сервера нет свежего списка отозванных сертификатов этого удостоверяющего центра. Пока его нет, вход закрыт: так защищены владельцы отозванных сертификатов.",
				"The server has no fresh revocation list of this certification authority. Sign-in stays closed until it has one.",
			},
			Steps: []Text{stepLater(), {
				"Если это длится больше часа, сообщите код обращения в техническую поддержку.",
				"If it lasts for more than an hour, report the support code to technical support.",
			}},
		}, true
	case reason.TrustDataAbsent, reason.TrustDataStale, reason.ServerBusy, reason.JournalLost:
		return advice{
			Title: Text{"Вход временно закрыт", "Sign-in is closed for the moment"},
			Cause: entryText(code),
			Steps: []Text{stepLater()},
		}, true
	case reason.EngineLost, reason.EngineDisagreement:
		return advice{
			Title: Text{"Подпись сейчас проверить нельзя", "Signatures cannot be verified now"},
			Cause: entryText(code),
			Steps: []Text{stepLater(), {
				"Если это повторяется, сообщите код обращения в техническую поддержку.",
				"If it happens again, report the support code to technical support.",
			}},
		}, true
	case reason.InternalError:
		return advice{
			Title: Text{"Ошибка на сервере", "An error of the server"},
			Cause: entryText(code),
			Steps: []Text{stepLater()},
		}, true
	}
	return advice{}, false
}

// flowAdvice is about the way between services and hosts.
func flowAdvice(code reason.Code) (advice, bool) {
	titles := map[reason.Code]Text{
		reason.SignInExpired:        {"Вход нужно начать заново", "Start the sign-in again"},
		reason.SignInTicketInvalid:  {"Ссылка возврата больше не действует", "The return link is no longer good"},
		reason.SignInOtherBrowser:   {"Вход начат в другом браузере", "The sign-in was started in another browser"},
		reason.PageNotFound:         {"Страница не найдена", "Page not found"},
		reason.MethodNotAllowed:     {"Этот адрес открывается иначе", "Not the way to open this address"},
		reason.ClientUnknown:        {"Сервис не зарегистрирован", "The service is not registered"},
		reason.RedirectMismatch:     {"Неверный адрес возврата", "Wrong return address"},
		reason.AuthorizationInvalid: {"Неверный запрос на вход", "Invalid authorization request"},
	}
	title, ok := titles[code]
	if !ok {
		return advice{}, false
	}
	steps := []Text{stepBack()}
	if code == reason.SignInOtherBrowser {
		steps = append(steps, Text{
			"Если в браузере выключены cookie, разрешите их для этого сайта.",
			"If cookies are switched off, allow them for this site.",
		})
	}
	cause := entryText(code)
	if code == reason.PageNotFound { // its words in the catalogue are for programs too
		cause.EN = "There is no page at this address. Check it, or go to the front page."
		steps = []Text{{
			"Если вас привёл сюда сервис, вернитесь в него и начните заново.",
			"If a service brought you here, go back to it and start again.",
		}}
	}
	return advice{Title: title, Cause: cause, Steps: steps}, true
}

func entryText(code reason.Code) Text {
	e, _ := reason.Lookup(code)
	return Text{RU: e.RU, EN: e.EN}
}

// formAdvice is about forms of the gateway that it could not take.
func formAdvice(code reason.Code) (advice, bool) {
	again := Text{
		"Откройте страницу с формой заново (не кнопкой «Назад») и заполните её ещё раз.",
		"Open the page with the form anew, not with the button Back, and fill it in again.",
	}
	switch code {
	case reason.FormForeign:
		return advice{
			Title: Text{"Форма пришла с другого сайта", "Another site sent this form"},
			Cause: entryText(code),
			Steps: []Text{{"Закройте вкладку, из которой вы сюда попали.", "Close the tab that brought you here."}, again},
		}, true
	case reason.FormExpired:
		return advice{
			Title: Text{"Форма устарела", "The form is too old"},
			Cause: entryText(code),
			Steps: []Text{again, {"Если в браузере выключены cookie, разрешите их для этого сайта.", "If cookies are switched off, allow them for this site."}},
		}, true
	case reason.FormMalformed, reason.FormTooLarge:
		return advice{Title: Text{"Форму принять не получилось", "The form could not be taken"}, Cause: entryText(code), Steps: []Text{again}}, true
	}
	return advice{}, false
}
