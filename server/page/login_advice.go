package page

import "propusk/pki/reason"

// loginAdvice is about sign-in by password and what belongs to it.
func loginAdvice(code reason.Code) (advice, bool) {
	again := Text{"Вернитесь в сервис, в который входили, и начните вход заново.", "Go back to the service that you came from, and begin again."}
	wait := Text{"Подождите: возможность вводить код возвращается постепенно, полностью — за час.", "Wait: attempts come back little by little, all of them within an hour."}
	key := Text{"Если есть ключ электронной подписи, войдите с ним: вход с ключом не ограничен.", "If you have a key of electronic signature, sign in with it: that is not limited."}
	a := advice{Cause: entryText(code)}
	switch code {
	case reason.LoginExpired:
		a.Title, a.Steps = Text{"Вход нужно начать заново", "Begin to sign in again"}, []Text{again, {
			"Если в браузере выключены cookie, разрешите их для этого сайта.", "If cookies are switched off, allow them for this site.",
		}}
	case reason.LoginCodeAttempts, reason.LoginCodeSent:
		a.Title, a.Steps = Text{"Слишком много попыток", "Too many attempts"}, []Text{wait, key, {
			"Если коды вводили не вы, ваш пароль знает кто-то ещё: войдите с ключом или восстановите пароль и смените его.",
			"If it was not you, somebody else has your password: sign in with a key, or recover the password.",
		}}
	case reason.LoginNoFactor:
		a.Title, a.Steps = Text{"Нужен код подтверждения", "A confirmation code is needed"}, []Text{{
			"Войдите в учётную запись и подключите приложение с кодами или подтвердите адрес почты.",
			"Sign in to the account, and set up an application with codes or confirm the address of e-mail.",
		}, key}
	case reason.LoginRecoveryLink:
		a.Title, a.Steps = Text{"Ссылка не действует", "The link is not good"}, []Text{
			{"Запросите новую ссылку. Действует только последняя из запрошенных.", "Ask for another link. Only the last one is good."},
			{"Если ссылку открывали не вы, просмотрите журнал входов в учётной записи.", "If it was not you who opened it, look at the sign-ins in the account."},
		}
	default:
		return advice{}, false
	}
	return a, true
}
