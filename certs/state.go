package certs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// Names in a state directory.
const (
	stateCRLs    = "crls"       // fetched revocation lists, one file for an issuer and a scope
	stateDamaged = "damaged"    // files that were set aside
	stateFloor   = "floor.json" // what was accepted once
	stateLock    = "lock"
	unfinished   = ".new-" // begins the names of files being written; hidden ones are never read
)

// Limits of a state directory, so that a mistake of ours does not fill the disk.
const (
	maxStateCRLs = 4096
	maxDamaged   = 16
	maxFloorFile = 8 << 20 // bytes
)

// state is a state directory: what was fetched and verified, and the floor below
// which nothing may fall again. Files are replaced whole (written beside, synced,
// renamed), so that whoever reads, and whoever comes after a crash, finds the old
// one or the new one. The zero value is no directory at all: it is empty and takes
// nothing.
type state struct{ dir string }

func (s state) path(name string) string { return filepath.Join(s.dir, name) }

// crlFile is the name of the file for the list of an issuer with a scope.
func (s state) crlFile(key string) string {
	return filepath.Join(stateCRLs, key+".crl")
}

// write replaces a file and is sure that it is on the disk.
func (s state) write(name string, data []byte) error {
	return s.locked(func() error { return replaceFile(s.path(name), data) })
}

// locked runs f while no other process writes.
func (s state) locked(f func() error) error {
	err := os.MkdirAll(s.dir, 0o700)
	if err == nil {
		var unlock func()
		if unlock, err = s.lock(); err == nil {
			err = f()
			unlock()
		}
	}
	if err != nil {
		return reason.New(reason.TrustStateUnwritable, err)
	}
	return nil
}

// replaceFile writes beside, syncs and renames.
func replaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, unfinished+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // of no use to anybody
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes what writing left behind when it was interrupted.
func (s state) sweep() error {
	if s.dir == "" || !exists(s.dir, stateLock) {
		return nil // nobody has written yet
	}
	return s.locked(func() error {
		var errs []error
		for _, dir := range []string{s.dir, s.path(stateCRLs)} {
			entries, err := os.ReadDir(dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			for _, e := range entries {
				if strings.HasPrefix(e.Name(), unfinished) {
					errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
				}
			}
		}
		return errors.Join(errs...)
	})
}

// inputs lists what the directory adds to a source: nothing if it does not exist.
func (s state) inputs() ([]input, error) {
	if s.dir == "" {
		return nil, nil
	}
	var all []input
	if exists(s.dir, tslFile) {
		all = append(all, input{File: File{Role: RoleTSL, Path: s.path(tslFile)}, fetched: true})
	}
	paths, err := list(s.path(stateCRLs), []string{".crl"})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// More of them than are ever written fail nothing: a damaged directory is no reason
	// not to start.
	for _, p := range paths[:min(len(paths), maxStateCRLs)] {
		all = append(all, input{File: File{Role: RoleCRL, Path: p}, fetched: true})
	}
	return all, nil
}

// full reports whether there are as many lists as there may be.
func (s state) full() bool {
	entries, err := os.ReadDir(s.path(stateCRLs))
	return err == nil && len(entries) >= maxStateCRLs
}

// setAside moves a file out of the way, for an operator to look at. Of many the
// oldest go.
func (s state) setAside(path string) error {
	dir := s.path(stateDamaged)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(dir, filepath.Base(path))); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= maxDamaged {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return modified(a).Compare(modified(b)) })
	for _, e := range entries[:len(entries)-maxDamaged] {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

func modified(e fs.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// floor is what was accepted once, by anybody who used the directory. Nothing older
// is accepted again, whatever the files say.
type floor struct {
	// TSLVersion is the highest «Версия».
	TSLVersion int `json:"tsl_version"`
	// CRLs are the newest thisUpdate, by [crlKey].
	CRLs map[string]time.Time `json:"crls"`
}

// readFloor returns the floor. A damaged file is no floor, and an error.
func (s state) readFloor() (floor, error) {
	if s.dir == "" || !exists(s.dir, stateFloor) {
		return floor{}, nil
	}
	data, err := readFile(s.path(stateFloor), maxFloorFile)
	if err != nil {
		return floor{}, reason.New(reason.TrustStateDamaged, err)
	}
	var f floor
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&f)
	if err != nil || !errors.Is(d.Decode(new(any)), io.EOF) || f.TSLVersion < 0 || len(f.CRLs) > maxFiles {
		return floor{}, reason.Errorf(reason.TrustStateDamaged, "%s is not what was written there", s.path(stateFloor))
	}
	return f, nil
}

// raiseFloor merges f into the floor on the disk. Several processes may do so.
func (s state) raiseFloor(f floor) error {
	return s.locked(func() error {
		was, damaged := s.readFloor()
		if damaged != nil {
			if err := s.setAside(s.path(stateFloor)); err != nil {
				return err
			}
		}
		merged := was.with(f)
		if damaged == nil && merged.equal(was) {
			return nil
		}
		text, err := json.MarshalIndent(merged, "", " ")
		if err != nil {
			return err
		}
		return replaceFile(s.path(stateFloor), append(text, '\n'))
	})
}

// lock excludes other processes.
func (s state) lock() (unlock func(), err error) {
	f, err := os.OpenFile(s.path(stateLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // closing unlocks
}

// with returns the higher of both, part by part.
func (f floor) with(other floor) floor {
	merged := floor{TSLVersion: max(f.TSLVersion, other.TSLVersion), CRLs: make(map[string]time.Time, len(f.CRLs))}
	maps.Copy(merged.CRLs, f.CRLs)
	for key, at := range other.CRLs {
		if at.After(merged.CRLs[key]) {
			merged.CRLs[key] = at
		}
	}
	merged.bound()
	return merged
}

// bound drops what is oldest when there is too much: lists that nobody issues any
// more.
func (f floor) bound() {
	if len(f.CRLs) <= maxFiles {
		return
	}
	keys := slices.SortedFunc(maps.Keys(f.CRLs), func(a, b string) int { return f.CRLs[a].Compare(f.CRLs[b]) })
	for _, key := range keys[:len(keys)-maxFiles] {
		delete(f.CRLs, key)
	}
}

func (f floor) equal(other floor) bool {
	return f.TSLVersion == other.TSLVersion && maps.EqualFunc(f.CRLs, other.CRLs, time.Time.Equal)
}

// crlKey names the place of a revocation list: its issuer, by name and key, and what
// it speaks about. It is good as a name of a file. A CA that has its certificate
// renewed stays what it is. Lists in one place replace one another.
func crlKey(issuer *gostx509.Certificate, list *crl.List) string {
	h := sha256.New()
	for _, part := range [][]byte{issuer.RawSubject, issuer.RawSPKI} {
		h.Write(part) // DER knows its length
	}
	key := hex.EncodeToString(h.Sum(nil)[:20])
	scope := fmt.Sprintf("%+v %t", list.Scope(), list.Delta())
	if scope == fmt.Sprintf("%+v %t", crl.Scope{}, false) {
		return key
	}
	of := sha256.Sum256([]byte(scope))
	return key + "-" + hex.EncodeToString(of[:8])
}
