package certs

import (
	"context"
	"errors"
	"time"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/reason"
	"propusk/pki/tsl"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// Load reads a Snapshot: all of it, or nothing and an error that carries a
// reason code ([reason.Of]). The moment now is the time of loading: a revocation
// list issued after it is set aside, see [Snapshot.Quarantined].
//
// In a directory, a revocation list that is bad sets aside only itself, because
// there are hundreds of issuers; every other bad file, and a bad list that
// [Source.CRLs] names, is an error. Lists past their nextUpdate are kept: how long
// they are believed is the policy of the validator, which by default does not.
//
// Reading stops when ctx is done.
func Load(ctx context.Context, src Source, now time.Time) (*Snapshot, error) {
	inputs, err := src.inputs()
	if err != nil {
		return nil, err
	}
	if err := readAll(ctx, inputs); err != nil {
		return nil, err
	}
	l := &loader{now: now, inputs: inputs, pins: src.Pins, named: len(src.Pins) == 0}
	for _, step := range []func(context.Context) error{
		l.readPins,
		l.readRoots,
		l.readIntermediates,
		l.readTSL,
		l.readCRLs,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return l.snapshot(), nil
}

// loader holds what the steps of Load have found so far.
type loader struct {
	now    time.Time
	inputs []input
	pins   []Pin
	named  bool // a root file that was named by itself is pinned by that

	roots         *path.Pool
	intermediates *path.Pool
	list          *tsl.List
	orphans       []Orphan
	bySubject     map[string][]*gostx509.Certificate
	crls          []revocationList
	quarantined   []Quarantined
}

// of returns the inputs with one role.
func (l *loader) of(role Role) []*input {
	var found []*input
	for i := range l.inputs {
		if l.inputs[i].Role == role {
			found = append(found, &l.inputs[i])
		}
	}
	return found
}

// readPins collects the pins of the source and of pins.txt.
func (l *loader) readPins(context.Context) error {
	for _, in := range l.of(RolePins) {
		pins, err := parsePins(in.Path, in.data)
		if err != nil {
			return err
		}
		l.pins = append(l.pins, pins...)
	}
	return nil
}

// readRoots takes the roots, each of which must be pinned: by its fingerprint,
// or, for a file that was named by itself, by being named. Where there are no
// pins at all, the known roots of Минцифры are the pins.
func (l *loader) readRoots(context.Context) error {
	pinned := make(map[Pin]bool)
	for _, p := range l.pins {
		pinned[p] = true
	}
	if len(l.pins) == 0 {
		pinned = knownPins()
	}
	l.roots = path.NewPool()
	for i := range l.inputs {
		in := &l.inputs[i]
		if in.Role != RoleRoot && !in.pile {
			continue
		}
		found, err := in.certificates()
		if err != nil {
			return err
		}
		for _, c := range found {
			switch {
			case pinned[c.SHA256()]:
			case in.pile:
				continue // an intermediate
			case l.named && in.explicit:
			default:
				return reason.Errorf(reason.TrustRootNotPinned, "%s: the fingerprint %s is not pinned", in.Path, Pin(c.SHA256()))
			}
			if err := suitableRoot(c); err != nil {
				return reason.Errorf(reason.TrustRootUnsuitable, "%s: %w", in.Path, err)
			}
			l.roots.Add(c)
		}
	}
	if l.roots.Len() == 0 {
		return reason.Errorf(reason.TrustNoRoots, "no root certificate was found among %d files", len(l.inputs))
	}
	return nil
}

// suitableRoot checks that a pinned certificate can be an anchor. Its dates are
// not looked at: an archive needs expired roots.
func suitableRoot(c *gostx509.Certificate) error {
	if c.Version == 3 && !c.IsCA {
		return errors.New("it is not a certificate of a certification authority")
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		return errors.New("it is not signed by its own key")
	}
	return nil
}

// readIntermediates takes certificates to build paths from.
func (l *loader) readIntermediates(context.Context) error {
	l.intermediates = path.NewPool()
	for _, in := range l.of(RoleIntermediate) {
		found, err := in.certificates()
		if err != nil {
			return err
		}
		for _, c := range found {
			if !l.roots.Contains(c) {
				l.intermediates.Add(c)
			}
		}
	}
	return nil
}

// readTSL verifies the list of accredited CAs under the pinned signers, and takes
// from it the CA certificates that lead to a pinned root.
func (l *loader) readTSL(ctx context.Context) error {
	files := l.of(RoleTSL)
	if len(files) == 0 {
		return nil
	}
	in := files[len(files)-1]
	signers, err := l.signers()
	if err != nil {
		return err
	}
	list, err := tsl.Verify(in.data, signers...)
	if err != nil {
		return within(reason.TSLMalformed, in.Path, err)
	}
	l.list = list
	return l.takeListed(ctx)
}

// signers returns who may sign the list: those that were named, or else the
// roots themselves. A certificate that merely leads to a root is not enough: every
// holder of a qualified certificate has one.
func (l *loader) signers() ([]*gostx509.Certificate, error) {
	files := l.of(RoleTSLSigner)
	if len(files) == 0 {
		return l.roots.Certificates(), nil
	}
	var signers []*gostx509.Certificate
	for _, in := range files {
		found, err := in.certificates()
		if err != nil {
			return nil, err
		}
		signers = append(signers, found...)
	}
	return signers, nil
}

// listedCert is one CA certificate of the list.
type listedCert struct {
	owner      string // name of the CA
	thumbprint [20]byte
	cert       *gostx509.Certificate
}

// takeListed adds the CA certificates of the list to the intermediates. Those
// that lead to no pinned root are recorded as orphans and not used: a list whose
// publisher was deceived cannot bring a new root.
func (l *loader) takeListed(ctx context.Context) error {
	all := l.listed()
	candidates := path.NewPool(l.intermediates.Certificates()...)
	for _, one := range all {
		candidates.Add(one.cert)
	}
	for _, one := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if l.roots.Contains(one.cert) || l.intermediates.Contains(one.cert) {
			continue
		}
		if code := l.leadsToRoot(one.cert, candidates); code != "" {
			l.orphans = append(l.orphans, Orphan{CA: one.owner, Thumbprint: one.thumbprint, Code: code})
			continue
		}
		l.intermediates.Add(one.cert)
	}
	return nil
}

// listed parses the CA certificates of the list; one that cannot be read is an
// orphan.
func (l *loader) listed() []listedCert {
	var all []listedCert
	for ca, item := range l.list.Certificates() {
		c, err := item.Parse()
		if err != nil {
			l.orphans = append(l.orphans, Orphan{CA: ca.Name, Thumbprint: item.Thumbprint, Code: reason.Of(err)})
			continue
		}
		all = append(all, listedCert{ca.Name, item.Thumbprint, c})
	}
	return all
}

// leadsToRoot returns the empty code if a chain of signatures leads from c to a
// pinned root. Dates and revocation belong to the moment of use.
func (l *loader) leadsToRoot(c *gostx509.Certificate, candidates *path.Pool) reason.Code {
	result := path.Build(c, path.Options{
		Roots:                l.roots,
		Intermediates:        candidates,
		At:                   l.now,
		InsecureSkipValidity: true,
		Revocation:           path.InsecureSkipRevocation{},
	})
	if result.Status == verdict.Passed {
		return ""
	}
	for _, check := range result.Checks {
		if check.Status != verdict.Passed {
			return check.Reason
		}
	}
	return reason.UnknownCA
}

// snapshot puts the parts together.
func (l *loader) snapshot() *Snapshot {
	id := hashInputs(l.inputs)
	files := make([]File, 0, len(l.inputs))
	for _, in := range l.inputs {
		files = append(files, in.File)
	}
	return &Snapshot{
		trust: validate.Trust{
			Roots:         l.roots,
			Intermediates: l.intermediates,
			Accredited:    l.list,
			CRLs:          l.crlSet(),
			ID:            id,
			LoadedAt:      l.now,
		},
		id:          id,
		loadedAt:    l.now,
		files:       files,
		crls:        l.crls,
		quarantined: l.quarantined,
		orphans:     l.orphans,
	}
}

// certificates parses a file of one or more certificates, once.
func (in *input) certificates() ([]*gostx509.Certificate, error) {
	if in.parsed != nil {
		return in.parsed, nil
	}
	blocks, err := cms.Bundle(in.data)
	if err != nil {
		return nil, reason.Errorf(reason.TrustCertMalformed, "%s: %w", in.Path, err)
	}
	for _, block := range blocks {
		c, err := gostx509.Parse(block)
		if err != nil {
			return nil, reason.Errorf(reason.TrustCertMalformed, "%s: %w", in.Path, err)
		}
		in.parsed = append(in.parsed, c)
	}
	return in.parsed, nil
}

// within adds the path to an error, and a code to one that has none.
func within(fallback reason.Code, path string, err error) error {
	if e, ok := errors.AsType[*reason.Error](err); ok && e.Err != nil {
		return reason.Errorf(e.Code, "%s: %w", path, e.Err)
	}
	return reason.Errorf(fallback, "%s: %w", path, err)
}
