package cades

import (
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Names of checks. They appear in verdict documents and stay as they are.
const (
	CheckAttributes = "unsigned-attributes"
	CheckReferences = "references"
)

// Level returns the level of the signature if all its time-stamps are good; see
// [Attributes.LevelWith].
func (a Attributes) Level() cms.Level {
	return a.LevelWith(func(int) bool { return true })
}

// LevelWith returns the highest level of which everything is there and fits: EN 319
// 122-2, Section 4; RFC 5126, Sections 4.3 and 4.4. Only time-stamps count for whose
// place in TimeStamps good returns true, and only such that can be read. References that
// do not fit the values beside them give no level that needs both.
func (a Attributes) LevelWith(good func(i int) bool) cms.Level {
	base := a.base()
	has := func(kinds ...Kind) bool {
		for i, ts := range a.TimeStamps {
			for _, k := range kinds {
				if ts.Kind == k && ts.Token != nil && good(i) {
					return true
				}
			}
		}
		return false
	}
	if base == cms.Plain || !has(SignatureTimeStamp) {
		return base
	}
	fits := a.referencesFit()
	complete := a.CertificateRefs != nil && a.RevocationRefs != nil
	long := complete && a.HasCertificateValues && a.HasRevocationValues && fits
	switch {
	case has(ArchiveV3) && fits && a.carriesRevocation() && a.indexesAll(good):
		return cms.LTA
	case has(ArchiveV1, ArchiveV2) && fits && a.carriesRevocation():
		return cms.A
	case long && has(ESCTimeStamp):
		return cms.XLongType1
	case long && has(ReferencesTimeStamp):
		return cms.XLongType2
	case long:
		return cms.XLong
	case complete && fits && has(ESCTimeStamp):
		return cms.XType1
	case complete && fits && has(ReferencesTimeStamp):
		return cms.XType2
	case complete && fits:
		return cms.C
	default:
		return cms.T
	}
}

// indexesAll reports whether there is an archive time-stamp of version 3 over a
// time-stamp of the signature and over all values in attributes: one over less
// keeps nothing else provable.
func (a Attributes) indexesAll(good func(i int) bool) bool {
	for i, ts := range a.TimeStamps {
		if ts.Kind != ArchiveV3 || ts.Token == nil || !good(i) {
			continue
		}
		covered, some, all := a.Covers(ts), false, true
		for _, token := range a.tokens(SignatureTimeStamp) {
			some = some || holds(covered, token)
		}
		for _, list := range [][][]byte{a.Certificates, a.CRLs, a.Responses} {
			for _, raw := range list {
				all = all && holds(covered, raw)
			}
		}
		if some && all {
			return true
		}
	}
	return false
}

// base returns the level that the signer alone has made.
func (a Attributes) base() cms.Level {
	if a.signer == nil {
		return ""
	}
	level := a.signer.BaseLevel()
	if level == cms.EPES && a.Policy == nil {
		return cms.BES // the policy could not be read
	}
	return level
}

// carriesRevocation reports whether there are revocation data in the file, in the
// attribute or beside the certificates.
func (a Attributes) carriesRevocation() bool {
	return len(a.CRLs)+len(a.Responses) > 0 || a.sd != nil && len(a.sd.CRLs)+len(a.sd.OCSPResponses) > 0
}

// referencesFit reports whether what is referred to is there, wherever there are
// values of that sort to look among.
func (a Attributes) referencesFit() bool { return a.certificatesFit && a.revocationFits }

// Checks returns what can be said about the attributes without judging anybody:
// whether all could be read, and whether references fit values. There is no check
// where there is nothing to look at.
func (a Attributes) Checks() []verdict.Check {
	var checks []verdict.Check
	const cite = "ETSI EN 319 122-1, 5"
	for _, u := range a.Unreadable {
		checks = append(checks, verdict.Check{
			Name: CheckAttributes, Status: verdict.Failed, Reason: reason.AttributeUnreadable, Cite: cite, Detail: u.Type.String(),
		})
	}
	if len(a.Unreadable) == 0 && a.any() {
		checks = append(checks, verdict.Check{Name: CheckAttributes, Status: verdict.Passed, Cite: cite})
	}
	if a.HasCertificateValues && a.CertificateRefs != nil {
		checks = append(checks, references("complete-certificate-references", a.certificatesFit))
	}
	if a.HasRevocationValues && a.RevocationRefs != nil {
		checks = append(checks, references("complete-revocation-references", a.revocationFits))
	}
	return checks
}

// any reports whether there is an attribute that was read.
func (a Attributes) any() bool {
	return len(a.TimeStamps)+len(a.CounterSignatures) > 0 || a.Policy != nil ||
		a.CertificateRefs != nil || a.RevocationRefs != nil || a.HasCertificateValues || a.HasRevocationValues
}

// references makes the check of one attribute with references.
func references(name string, fit bool) verdict.Check {
	c := verdict.Check{Name: CheckReferences, Status: verdict.Passed, Cite: "RFC 5126, 6.2, 6.3", Detail: name}
	if !fit {
		c.Status, c.Reason = verdict.Failed, reason.ReferenceMismatch
	}
	return c
}
