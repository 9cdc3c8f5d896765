package page

import "propusk/pki/reason"

// registrationAdvice is about opening an account.
func registrationAdvice(code reason.Code) (advice, bool) {
	a := advice{Cause: entryText(code)}
	switch code {
	case reason.RegistrationExpired:
		a.Title = Text{"Регистрация не начата", "No registration is under way"}
		a.Steps = []Text{
			{"Войдите с ключом электронной подписи: регистрация начнётся или продолжится с того места, где остановилась.", "Sign in with the key: the registration begins, or goes on where it was."},
			{"Если в браузере выключены cookie, разрешите их для этого сайта.", "If cookies are switched off, allow them for this site."},
		}
	case reason.RegistrationStep:
		a.Title = Text{"Этот шаг уже пройден", "Another step is due"}
		a.Steps = []Text{{"Продолжите регистрацию: откроется тот шаг, который сейчас нужен.", "Go on with the registration: the step that is due opens."}}
	case reason.RegistrationPerson:
		a.Title = Text{"Подписал другой человек", "Another person has signed"}
		a.Steps = []Text{
			{"Выберите в программе подписи тот сертификат, с которым вы вошли, и подпишите соглашение ещё раз.", "Choose the certificate by which you came in, and sign the agreement once more."},
			{"Если на компьютере есть ключи других людей, отключите их носители.", "If there are keys of other people, take their tokens out."},
		}
	case reason.RegistrationKnown:
		a.Title = Text{"Вы уже зарегистрированы", "You are registered already"}
		a.Steps = []Text{
			{"Войдите с ключом электронной подписи или по логину (ИНН) и паролю.", "Sign in with the key, or with login (INN) and password."},
			{"Если вы не регистрировались, сразу сообщите об этом в техническую поддержку.", "If you have not registered, tell technical support at once."},
		}
	case reason.RegistrationAttempts:
		a.Title = Text{"Слишком много проверок", "Too many checks"}
		a.Steps = []Text{
			{"Сверьте ИНН, ОГРНИП, дату рождения и номер документа со своими документами.", "Compare the numbers and the date of birth with your documents."},
			{"Начните заново: войдите с ключом электронной подписи.", "Begin again: sign in with the key."},
		}
	case reason.RegistrationNotOpen:
		a.Title = Text{"С этим сертификатом зарегистрироваться нельзя", "No account by this certificate"}
		a.Steps = []Text{stepOther(), stepNewFNS()}
	case reason.ActivationInvalid:
		a.Title = Text{"Ссылка больше не действует", "The link is no longer good"}
		a.Steps = []Text{
			{"Если вы уже нажимали кнопку на этой странице, просто войдите.", "If you have pressed the button of this page before, just sign in."},
			{"Если нет, войдите с ключом электронной подписи: на открывшейся странице можно отправить письмо ещё раз.", "If not, sign in with the key: the page that opens can send the letter again."},
			{"Проверьте, что открыли ссылку из последнего письма и скопировали её целиком.", "Make sure that the link is that of the last letter, and whole."},
		}
	default:
		return advice{}, false
	}
	return a, true
}
