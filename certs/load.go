package certs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"propusk/pki/cms"
	"propusk/pki/facts"
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
	return load(ctx, src, now, new(memory))
}

// load is Load with what is known of the files already.
func load(ctx context.Context, src Source, now time.Time, m *memory) (*Snapshot, error) {
	l, err := newLoader(src, now, m)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		l.open,
		l.readFloor,
		l.readAuthorities,
		l.aboveFloor,
		l.readCRLs,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	m.authorities = l.authorities
	m.keep(l.inputs)
	return l.snapshot(), nil
}

// loader holds what the steps of Load have found so far.
type loader struct {
	*authorities
	now    time.Time
	inputs []input
	total  int64 // bytes of all files so far
	pins   []Pin
	named  bool // a root file that was named by itself is pinned by that
	state  state
	floor  floor
	memory *memory

	crls        []revocationList
	quarantined []Quarantined
}

// newLoader lists the files of a source.
func newLoader(src Source, now time.Time, m *memory) (*loader, error) {
	inputs, err := src.inputs()
	if err != nil {
		return nil, err
	}
	if m.facts == nil {
		m.facts = facts.New()
	}
	return &loader{
		authorities: new(authorities), now: now, inputs: inputs,
		pins: slices.Clone(src.Pins), named: len(src.Pins) == 0, state: state{src.State}, memory: m,
	}, nil
}

// authorities are the CAs of a snapshot: all of it but revocation lists. They are
// made anew only if one of their files has changed.
type authorities struct {
	key           [32]byte // of the files
	roots         *path.Pool
	intermediates *path.Pool
	list          *tsl.List
	listPath      string // the file that list is from
	orphans       []Orphan
	damaged       []Quarantined // lists of accredited CAs that were set aside
	bySubject     map[string][]*gostx509.Certificate
	byThumbprint  map[[20]byte]*gostx509.Certificate // roots and intermediates, by SHA-1
	keys          map[string]time.Time               // subject key identifier → end of the last certificate with it
}

// readAuthorities takes the authorities of the last load, or makes them.
func (l *loader) readAuthorities(ctx context.Context) error {
	key := l.authoritiesKey()
	if last := l.memory.authorities; last != nil && last.key == key {
		l.authorities = last
		l.markSuperseded()
		return nil
	}
	l.key = key
	for _, step := range []func(context.Context) error{
		l.readPins,
		l.readRoots,
		l.readIntermediates,
		l.readTSL,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	l.indexCAs()
	return nil
}

// authoritiesKey names the files that authorities are made of, and how they were
// named.
func (l *loader) authoritiesKey() [32]byte {
	h := sha256.New()
	for _, in := range l.inputs {
		if in.Role != RoleCRL {
			fmt.Fprintf(h, "%s %q %x %t %t %t\n", in.Role, in.Path, in.SHA256, in.explicit, in.pile, in.err != nil)
		}
	}
	for _, p := range l.pins {
		fmt.Fprintln(h, p)
	}
	return [32]byte(h.Sum(nil))
}

// readFloor takes what was accepted once. A floor that is damaged is recorded;
// what was fetched then still says what was fetched last.
func (l *loader) readFloor(context.Context) error {
	var err error
	if l.floor, err = l.state.readFloor(); err != nil {
		l.quarantined = append(l.quarantined, Quarantined{Path: l.state.path(stateFloor), Code: reason.Of(err), Err: err})
	}
	return nil
}

// aboveFloor refuses a list of accredited CAs that is older than one that was in
// force once, before a restart perhaps.
func (l *loader) aboveFloor(context.Context) error {
	was := l.floor.TSLVersion
	switch {
	case was == 0:
	case l.list == nil:
		return reason.Errorf(reason.TrustListMissing, "version %d was accepted before, and there is no list in the files", was)
	case l.list.Version() < was:
		return reason.Errorf(reason.TrustListRollback, "%s: version %d was accepted before, and this list is of version %d", l.listPath, was, l.list.Version())
	}
	return nil
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

// readTSL verifies the lists of accredited CAs under the pinned signers, takes the
// one of the highest version, and from it the CA certificates that lead to a
// pinned root.
func (l *loader) readTSL(ctx context.Context) error {
	files := l.of(RoleTSL)
	if len(files) == 0 {
		return nil
	}
	signers, err := l.signers()
	if err != nil {
		return err
	}
	for _, in := range files {
		list, err := l.verifyTSL(in, signers)
		switch {
		case err == nil:
			if l.list == nil || list.Version() > l.list.Version() {
				l.list, l.listPath = list, in.Path
			}
		case in.fetched:
			l.damaged = append(l.damaged, Quarantined{Path: in.Path, Code: reason.Of(err), Err: err})
		default:
			return err
		}
	}
	l.markSuperseded()
	if l.list == nil {
		return nil
	}
	return l.takeListed(ctx)
}

// verifyTSL reads one list, unless it has been verified under these signers.
func (l *loader) verifyTSL(in *input, signers []*gostx509.Certificate) (*tsl.List, error) {
	if in.err != nil {
		return nil, in.err
	}
	by := fingerprintsOf(signers)
	if k := in.known; k.list != nil && k.signers == by {
		return k.list, nil
	}
	if in.data == nil { // what is known of the file is not enough
		data, err := readFile(in.Path, in.Role.limit())
		if err != nil {
			return nil, err
		}
		in.data = data
	}
	list, err := tsl.Verify(in.data, signers...)
	if err != nil {
		return nil, within(reason.TSLMalformed, in.Path, err)
	}
	in.data = nil
	in.known.list, in.known.signers = list, by
	return list, nil
}

// fingerprintsOf names certificates in order.
func fingerprintsOf(certs []*gostx509.Certificate) [32]byte {
	var all []byte
	for _, c := range certs {
		sum := c.SHA256()
		all = append(all, sum[:]...)
	}
	return sha256.Sum256(all)
}

// markSuperseded tells the list that is in force from the others.
func (l *loader) markSuperseded() {
	for _, in := range l.of(RoleTSL) {
		in.superseded = l.list != nil && in.Path != l.listPath
	}
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
		Facts:                l.memory.facts,
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
			Facts:         l.memory.facts,
			ID:            id,
			LoadedAt:      l.now,
		},
		id:          id,
		loadedAt:    l.now,
		files:       files,
		crls:        l.crls,
		quarantined: slices.Concat(l.damaged, l.quarantined),
		authorities: l.authorities,
	}
}

// certificates parses a file of one or more certificates, once.
func (in *input) certificates() ([]*gostx509.Certificate, error) {
	if in.known.certs != nil {
		return in.known.certs, nil
	}
	blocks, err := cms.Bundle(in.data)
	if err != nil {
		return nil, reason.Errorf(reason.TrustCertMalformed, "%s: %w", in.Path, err)
	}
	var certs []*gostx509.Certificate
	for _, block := range blocks {
		c, err := gostx509.Parse(block)
		if err != nil {
			return nil, reason.Errorf(reason.TrustCertMalformed, "%s: %w", in.Path, err)
		}
		certs = append(certs, c)
	}
	in.known.certs, in.data = certs, nil
	return certs, nil
}

// within adds the path to an error, and a code to one that has none.
func within(fallback reason.Code, path string, err error) error {
	if e, ok := errors.AsType[*reason.Error](err); ok && e.Err != nil {
		return reason.Errorf(e.Code, "%s: %w", path, e.Err)
	}
	return reason.Errorf(fallback, "%s: %w", path, err)
}
