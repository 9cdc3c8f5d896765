package certs

import (
	"context"
	"crypto/sha256"
	"os"
	"time"

	"propusk/pki/crl"
	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/tsl"
)

// memory is what a [Store] keeps from one load to the next, so that a file that has
// not changed is not parsed again, and usually not even read, and CA certificates
// are verified again only if one of the files that they rest on has changed. The
// zero value remembers nothing. It is not safe for concurrent use.
type memory struct {
	files       map[string]*known // by path
	authorities *authorities
	facts       *facts.Memory // of all snapshots: facts do not depend on who is trusted
}

// known is what a file says. What it says does not change; a changed file has
// another known.
type known struct {
	File
	info    os.FileInfo // as it was when the file was read
	settled bool        // the file has not been written shortly before it was read

	certs []*gostx509.Certificate // of a file of certificates

	list    *tsl.List // of a list of accredited CAs that verified
	signers [32]byte  // under these

	crl       *crl.List // of a revocation list
	crlErr    error     // or why it is not one
	issuer    *gostx509.Certificate
	issuerErr error
	under     *authorities // under which the issuer was looked for
}

// parsed reports whether the contents of the file are not needed any more.
func (k *known) parsed() bool {
	return k.certs != nil || k.list != nil || k.crl != nil || k.crlErr != nil
}

// settling is how long after a file was written another write may leave it with
// the same time of modification: file systems keep time in steps.
const settling = 2 * time.Second

// find says what is known of a file already. Without it, the file is read: then
// in.data is set, and in.known if the contents have been seen.
func (m *memory) find(in *input) error {
	before := m.files[in.Path]
	if before != nil && before.Role != in.Role {
		before = nil
	}
	info, err := os.Stat(in.Path)
	if err != nil {
		return reason.New(reason.TrustFileUnreadable, err)
	}
	if before != nil && before.settled && before.parsed() && same(before.info, info) {
		in.known, in.File = before, before.File
		return nil
	}
	data, err := readFile(in.Path, in.Role.limit())
	if err != nil {
		return err
	}
	// The clock here is that of the file system, which wrote the other time.
	settled := time.Since(info.ModTime()) > settling
	in.data, in.Size, in.SHA256 = data, len(data), sha256.Sum256(data)
	if before != nil && before.SHA256 == in.SHA256 {
		again := *before
		again.info, again.settled = info, settled
		in.known = &again
		return nil
	}
	in.known = &known{File: in.File, info: info, settled: settled}
	return nil
}

// same reports whether a file is the one it was, by all that can be seen without
// reading it.
func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// keep replaces what is remembered of files by what these are.
func (m *memory) keep(inputs []input) {
	m.files = make(map[string]*known, len(inputs))
	for i := range inputs {
		if k := inputs[i].known; k != nil {
			m.files[inputs[i].Path] = k
		}
	}
}

// open finds out about all files but revocation lists, which are read one by one. A
// file that may be bad keeps its error; any other fails the whole.
func (l *loader) open(ctx context.Context) error {
	for i := range l.inputs {
		if in := &l.inputs[i]; in.Role != RoleCRL {
			if err := l.read(ctx, in); err != nil {
				return err
			}
		}
	}
	return nil
}

// read finds out about one file.
func (l *loader) read(ctx context.Context, in *input) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := l.memory.find(in)
	if err == nil && l.total+int64(in.Size) > maxTotal {
		err = reason.Errorf(reason.TrustFileTooLarge, "%s: all files together exceed %d bytes", in.Path, int64(maxTotal))
		if !in.fetched {
			return err
		}
	}
	switch {
	case err != nil && in.mayBeBad():
		in.err, in.data = err, nil
		in.SHA256 = sha256.Sum256(nil)
	case err != nil:
		return err
	default:
		l.total += int64(in.Size)
	}
	return nil
}
