package store

import (
	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/level"
)

// The fields of every type, as documents have them. A name that was used once keeps its
// meaning: files of years have it.

func accountFields(c *coder, a *account.Account) {
	c.plain("id", &a.ID)
	identityFields(c, &a.Identity)
	list(c, "taxpayers", &a.Taxpayers, taxpayerFields)
	c.plain("state", &a.State)
	c.plain("why", &a.Why)
	c.email("address", &a.Email)
	c.moment("address_confirmed", &a.EmailConfirmed)
	c.private("phone", &a.Phone)
	c.plain("code_word", &a.CodeWord)
	c.plain("language", &a.Language)
	c.moment("registered", &a.Registered)
	c.plain("origin", &a.Origin)
	c.moment("activate_by", &a.ActivateBy)
	c.moment("closed", &a.Closed)
	c.moment("keys_lost", &a.KeysLost)
	c.moment("last_visit", &a.LastVisit)
	c.plain("version", &a.Version)
}

func identityFields(c *coder, who *person.Identity) {
	c.plain("kind", &who.Kind)
	c.name("name", &who.Name)
	c.name("organization", &who.Organization)
	c.name("title", &who.Title)
	c.email("email", &who.Email)
	masked(c, "inn", &who.INN, person.ParseINN)
	masked(c, "innle", &who.INNLE, person.ParseINNLE)
	masked(c, "ogrn", &who.OGRN, person.ParseOGRN)
	masked(c, "ogrnip", &who.OGRNIP, person.ParseOGRNIP)
	masked(c, "snils", &who.SNILS, person.ParseSNILS)
}

func taxpayerFields(c *coder, t *account.Taxpayer) {
	c.plain("id", &t.ID)
	c.plain("kind", &t.Kind)
	masked(c, "inn", &t.INN, person.ParseINN)
	masked(c, "ogrnip", &t.OGRNIP, person.ParseOGRNIP)
	masked(c, "innle", &t.INNLE, person.ParseINNLE)
	masked(c, "ogrn", &t.OGRN, person.ParseOGRN)
	c.name("name", &t.Name)
}

func passwordFields(c *coder, p *account.Password) {
	c.plain("account", &p.Account)
	c.plain("hash", &p.Hash)
	c.moment("set", &p.Set)
	c.moment("expires", &p.Expires)
	c.plain("initial", &p.Initial)
	c.plain("spent", &p.Spent)
}

func factorFields(c *coder, f *account.Factor) {
	c.plain("account", &f.Account)
	c.plain("id", &f.ID)
	c.plain("kind", &f.Kind)
	c.plain("sealed", &f.Sealed)
	c.moment("added", &f.Added)
	c.moment("confirmed", &f.Confirmed)
	c.moment("last_used", &f.LastUsed)
	c.plain("counter", &f.Counter)
}

func keyFields(c *coder, k *account.Key) {
	c.digest("sha256", &k.SHA256)
	c.plain("account", &k.Account)
	c.plain("der", &k.DER)
	c.moment("not_after", &k.NotAfter)
	c.moment("bound", &k.Bound)
	c.moment("last_used", &k.LastUsed)
	c.plain("state", &k.State)
	c.moment("changed", &k.Changed)
	c.plain("kind", &k.Kind)
}

func cardFields(c *coder, d *account.Card) {
	c.plain("number", &d.Number)
	c.plain("account", &d.Account)
	c.moment("issued", &d.Issued)
	c.moment("expires", &d.Expires)
	c.plain("reason", &d.Reason)
	c.plain("delivery", &d.Delivery)
	c.plain("by", &d.By)
}

func evidenceFields(c *coder, e *account.Evidence) {
	c.plain("id", &e.ID)
	c.plain("account", &e.Account)
	c.plain("kind", &e.Kind)
	c.plain("text", &e.Text)
	c.plain("signature", &e.Signature)
	c.plain("certificate", &e.Certificate)
	c.plain("verdict", &e.Verdict)
	c.moment("at", &e.At)
}

func visitFields(c *coder, v *account.Visit) {
	c.digest("key", &v.Key)
	c.plain("public", &v.Public)
	c.plain("sid", &v.SID)
	c.plain("account", &v.Account)
	c.plain("level", &v.Level)
	c.plain("amr", &v.AMR)
	c.moment("auth_time", &v.AuthTime)
	c.moment("password_at", &v.PasswordAt)
	c.moment("key_at", &v.KeyAt)
	list(c, "proofs", &v.Proofs, proofFields)
	c.digest("certificate", &v.CertSHA256)
	c.plain("taxpayer", &v.Taxpayer)
	c.moment("began", &v.Began)
	c.moment("seen", &v.Seen)
	c.moment("until", &v.Until)
	c.private("address", &v.Address)
	c.private("device", &v.Device)
	c.plain("clients", &v.Clients)
}

func proofFields(c *coder, p *level.Proof) {
	c.plain("level", &p.Level)
	c.plain("amr", &p.AMR)
	c.moment("at", &p.At)
}

func secretFields(c *coder, s *account.Secret) {
	c.digest("digest", &s.Digest)
	c.plain("purpose", &s.Purpose)
	c.plain("account", &s.Account)
	c.plain("data", &s.Data)
	c.moment("created", &s.Created)
	c.moment("expires", &s.Expires)
	c.plain("tries", &s.Tries)
}

func counterFields(c *coder, n *account.Counter) {
	c.plain("key", &n.Key)
	c.plain("count", &n.Count)
	c.moment("since", &n.Since)
	c.moment("until", &n.Until)
}

func checkRunFields(c *coder, r *account.CheckRun) {
	c.plain("code", &r.Code)
	c.moment("created", &r.Created)
	c.moment("expires", &r.Expires)
	c.plain("data", &r.Data)
}

func letterFields(c *coder, l *account.Letter) {
	c.plain("id", &l.ID)
	c.plain("account", &l.Account)
	c.email("to", &l.To)
	c.plain("kind", &l.Kind)
	c.plain("language", &l.Language)
	c.plain("subject", &l.Subject)
	c.private("text", &l.Text)
	c.private("html", &l.HTML)
	c.moment("created", &l.Created)
	c.moment("not_before", &l.NotBefore)
	c.moment("expires", &l.Expires)
	c.plain("tries", &l.Tries)
	c.moment("sent", &l.Sent)
	c.moment("failed", &l.Failed)
	c.plain("trouble", &l.Trouble)
}

func taskFields(c *coder, t *account.Task) {
	c.plain("id", &t.ID)
	c.plain("kind", &t.Kind)
	c.plain("data", &t.Data)
	c.moment("due", &t.Due)
	c.moment("expires", &t.Expires)
	c.plain("tries", &t.Tries)
}

func noteFields(c *coder, n *account.Note) {
	c.plain("id", &n.ID)
	identityFields(c, &n.Who)
	c.plain("from", &n.From)
	e := &n.Event
	c.moment("at", &e.At)
	c.plain("event", &e.Kind)
	c.plain("action", &e.Action)
	c.plain("conclusion", &e.Conclusion)
	c.plain("reason", &e.Reason)
	c.plain("subject", &e.Subject)
	c.plain("client", &e.Client)
	c.private("address", &e.Address)
	c.private("device", &e.Device)
	c.digest("certificate", &e.Certificate)
	c.plain("engine", &e.Engine)
	c.private("document", &e.Document)
	c.plain("digest", &e.Digest)
	c.plain("order", &e.Order)
	c.plain("support", &e.Support)
	c.plain("detail", &e.Detail)
}

func ticketFields(c *coder, t *account.Ticket) {
	c.plain("number", &t.Number)
	c.plain("account", &t.Account)
	c.plain("state", &t.State)
	c.moment("opened", &t.Opened)
	c.moment("changed", &t.Changed)
	c.plain("topic", &t.Topic)
	c.name("name", &t.Name)
	masked(c, "inn", &t.INN, person.ParseINN)
	c.email("email", &t.Email)
	c.private("phone", &t.Phone)
	c.plain("language", &t.Language)
	c.private("text", &t.Text)
	c.plain("check", &t.Check)
	c.plain("support", &t.Support)
	c.plain("reason", &t.Reason)
	c.plain("certificate", &t.Certificate)
	list(c, "answers", &t.Answers, answerFields)
}

func answerFields(c *coder, a *account.Answer) {
	c.moment("at", &a.At)
	c.plain("by", &a.By)
	c.private("text", &a.Text)
}

func attachmentFields(c *coder, a *account.Attachment) {
	c.plain("ticket", &a.Ticket)
	c.plain("number", &a.Number)
	c.private("name", &a.Name)
	c.plain("type", &a.Type)
	c.plain("data", &a.Data)
}
