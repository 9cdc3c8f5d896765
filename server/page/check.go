package page

import "net/http"

// condition is one of the seven conditions of the environment check.
type condition struct {
	Title Text
	How   Text
	Link  *Link
}

// Check writes the environment check page: the seven conditions of the cabinet's
// check page, each with how to see it for oneself and what to do. Nothing is
// guessed from the name that the browser gives itself: what counts is what the
// linked pages say about the connection.
func (b *Book) Check(w http.ResponseWriter, r *http.Request) error {
	return b.write(w, r, "check", http.StatusOK, view{
		Title: Text{RU: "Проверка выполнения условий доступа к личному кабинету", EN: "Check of the conditions of access to the cabinet"},
		Lead: Text{
			RU: "Проверьте условия по порядку. Условия 6 и 7 проверяют кнопки: сначала откройте страницу сервера, затем войдите с сертификатом.",
			EN: "Check the conditions in this order. The buttons test conditions 6 and 7: first open the page of the server, then sign in with the certificate.",
		},
		Links: []Link{
			{Text{RU: "Проверить защищённое соединение", EN: "Test the protected connection"}, b.site.PublicURL + "/"},
			{Text{RU: "Проверить вход с сертификатом", EN: "Test the sign-in with the certificate"}, b.site.SignInURL + "/"},
		},
		Conditions: b.conditions(),
	})
}

func (b *Book) conditions() []condition {
	return append(softwareConditions(),
		condition{
			Title: Text{"Установлены сертификаты удостоверяющих центров", "The certificates of the certification authorities are installed"},
			How: Text{
				"Сертификат головного удостоверяющего центра Минцифры России — в хранилище «Доверенные корневые центры сертификации», сертификат центра, который выдал ваш сертификат, — в «Промежуточные центры сертификации».",
				"The certificate of the head certification authority belongs in the store of trusted roots, that of the issuer of your certificate in the store of intermediate authorities.",
			},
		},
		condition{
			Title: Text{"Квалифицированный сертификат установлен в хранилище «Личные», и ключ доступен", "The qualified certificate is in the personal store and its key is at hand"},
			How: Text{
				"Подключите носитель ключа, нажмите «Проверить вход с сертификатом», выберите сертификат и введите PIN-код. Страница назовёт, что не так с сертификатом, если он не подойдёт.",
				"Insert the token, press \"Test the sign-in with the certificate\", choose the certificate and enter the PIN. The page says what is wrong if the certificate does not fit.",
			},
			Link: &Link{Text{RU: "Проверить вход с сертификатом", EN: "Test the sign-in with the certificate"}, b.site.SignInURL + "/"},
		},
		condition{
			Title: Text{"Работает защищённое соединение с сервером", "The protected connection with the server works"},
			How: Text{
				"Откройте страницу сервера. В разделе «Ваше соединение» должно быть «ГОСТ TLS». Если страница не открывается, проверьте, что порты сервера открыты в сети, а антивирус не вмешивается в защищённые соединения.",
				"Open the page of the server: it must say «ГОСТ TLS». If it does not open, see that the network lets the ports of the server through and that the antivirus leaves protected connections alone.",
			},
			Link: &Link{Text{RU: "Проверить защищённое соединение", EN: "Test the protected connection"}, b.site.PublicURL + "/"},
		},
	)
}

// softwareConditions are those that depend on the person's computer alone.
func softwareConditions() []condition {
	return []condition{
		{
			Title: Text{"Операционная система поддерживается криптопровайдером", "The operating system is one that the cryptographic provider supports"},
			How: Text{
				"Windows 10 и новее, macOS, Linux. Проверьте дату и время: при неверных часах сертификат покажется недействительным.",
				"Windows 10 or later, macOS, Linux. Check the clock: with a wrong one a good certificate looks invalid.",
			},
		},
		{
			Title: Text{"Браузер поддерживает шифрование по ГОСТ", "The browser supports GOST TLS"},
			How: Text{
				"Chromium-Gost или Яндекс Браузер с установленным криптопровайдером. Название браузера мы не проверяем: важно, что покажет раздел «Ваше соединение» на странице сервера.",
				"Chromium-Gost or Yandex Browser with a cryptographic provider. We do not look at the name of the browser: what the page of the server says about the connection is what counts.",
			},
		},
		{
			Title: Text{"В браузере включены cookie", "Cookies are switched on"},
			How: Text{
				"В настройках браузера разрешите cookie для этого сайта. Без них вход закончится страницей «Вход начат в другом браузере».",
				"Allow cookies for this site. Without them the sign-in ends with the page about another browser.",
			},
		},
		{
			Title: Text{"Установлены криптопровайдер и драйвер носителя", "The cryptographic provider and the driver of the token are installed"},
			How: Text{
				"КриптоПро CSP 5.0 или другой криптопровайдер с действующей лицензией, драйвер Рутокен, eToken (SafeNet) или JaCarta. Два криптопровайдера на одном компьютере мешают друг другу.",
				"CryptoPro CSP 5.0 or another provider with a valid licence, and the driver of your token. Two providers on one computer disturb each other.",
			},
		},
	}
}
