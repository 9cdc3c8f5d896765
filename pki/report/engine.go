package report

import "propusk/pki/sigalg"

// Engine is what computed the signatures of GOST R 34.10 that a verdict rests on.
type Engine struct {
	// Name is "go" for this program, "pkcs11" for a module of PKCS#11, "both" for the
	// two of them, which had to agree.
	Name string `json:"name"`
	// Module is what the module says about itself: vendor and description. It is absent
	// without one, or if it never answered.
	Module string `json:"module,omitempty"`
	// Version is that of the module; for "go" that of the program.
	Version string `json:"version,omitempty"`
	// Fallback says that the module did not answer, at least once, and this program
	// answered in its place.
	Fallback bool `json:"fallback,omitempty"`
}

func engineOf(u sigalg.Use) Engine {
	if !external(u) {
		return Engine{Name: sigalg.EngineGo, Version: programVersion()}
	}
	return Engine{Name: u.Name, Module: u.Module, Version: u.Version, Fallback: u.Fallback}
}

// external reports whether anything but this program was to compute.
func external(u sigalg.Use) bool { return u.Name != "" && u.Name != sigalg.EngineGo }

// engine names an engine for people.
func (l language) engine(e Engine) string {
	name := l.T("эта программа", "this software")
	switch e.Name {
	case sigalg.EnginePKCS11:
		name = l.T("модуль PKCS#11", "PKCS#11 module")
	case sigalg.EngineBoth:
		name = l.T("эта программа и модуль PKCS#11, каждый отдельно", "this software and a PKCS#11 module, each by itself")
	}
	if e.Module != "" {
		name += " «" + e.Module + "»"
	}
	if e.Fallback {
		name += l.T("; модуль не отвечал, ответила программа", "; the module gave no answer, this software answered")
	}
	return name
}
