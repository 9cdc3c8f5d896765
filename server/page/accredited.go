package page

import (
	"net/http"
	"time"
)

// Authorities are the certification authorities of the list in force that are accredited.
type Authorities struct {
	// At is the moment for which they are; Version and Date are those of the list.
	At      time.Time
	Version int
	Date    time.Time
	List    []Authority
}

// Authority is one of them. The state publishes these data.
type Authority struct{ Name, OGRN, Number string }

// Accredited writes the page of the authorities whose certificates are good (IP-35).
func (b *Book) Accredited(w http.ResponseWriter, r *http.Request, list Authorities) error {
	return b.Show(w, r, "gateway/accredited", View{
		Title: Text{RU: "Аккредитованные удостоверяющие центры", EN: "Accredited certification authorities"},
		Lead: Text{
			RU: "Для входа и подписи подходит квалифицированный сертификат, который выдал один из этих центров.",
			EN: "To sign in and to sign you need a qualified certificate that one of these has issued.",
		},
		Data: list,
	})
}

// accreditedLink leads there.
func (b *Book) accreditedLink() Link {
	return Link{Text{RU: "Аккредитованные удостоверяющие центры", EN: "Accredited certification authorities"}, b.site.PublicURL + "/accredited"}
}
