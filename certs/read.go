package certs

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"propusk/pki/crl"
	"propusk/pki/reason"
)

// Limits keep a directory that was named by mistake, or a file that somebody
// fed us, from costing more than a refusal: without them one path like /dev or
// an endless download would take all memory of the process that must keep
// serving from the previous snapshot.
const (
	maxFiles = 20_000  // of all roles; the real list has some 2,400 CA certificates
	maxTotal = 2 << 30 // bytes of all files; some hundred lists of revocation
	maxPins  = 1 << 20 // bytes of pins.txt
)

// Limits of files that commands read by themselves as well, in bytes. The length of
// a revocation list is bounded by [crl.MaxSize].
const (
	MaxCertificateFile = 16 << 20  // one certificate or a bundle
	MaxListFile        = 128 << 20 // the list of accredited CAs; the real one has some 25 MB
)

// limit returns the greatest size of a file in bytes.
func (r Role) limit() int64 {
	switch r {
	case RolePins:
		return maxPins
	case RoleTSL:
		return MaxListFile
	case RoleCRL:
		return crl.MaxSize
	default:
		return MaxCertificateFile
	}
}

// input is one file to be read, and then what is known of it.
type input struct {
	File
	explicit   bool // named by itself, not found in a directory
	pile       bool // from a plain pile of certificates
	fetched    bool // from a state directory
	superseded bool // a list of accredited CAs that is not in force, because another one is newer
	data       []byte
	err        error // why nothing is known; only for files that may be bad
	known      *known
}

// mayBeBad reports whether a bad file sets aside only itself.
func (in *input) mayBeBad() bool { return in.fetched || in.Role == RoleCRL && !in.explicit }

// subdir is a directory of files with the same role.
type subdir struct {
	name string
	role Role
	exts []string
}

// layout lists the parts of a trust directory.
func layout() []subdir {
	return []subdir{
		{"roots", RoleRoot, certificateExts()},
		{"tsl-signers", RoleTSLSigner, certificateExts()},
		{"intermediates", RoleIntermediate, certificateExts()},
		{"crls", RoleCRL, []string{".crl", ".pem"}},
	}
}

// certificateExts are the extensions of certificate files.
func certificateExts() []string { return []string{".pem", ".cer", ".crt", ".der", ".p7b", ".p7c"} }

// Names of single files of a trust directory.
const (
	pinsFile = "pins.txt"
	tslFile  = "tsl.xml"
)

// inputs lists the files of a source without reading them.
func (s Source) inputs() ([]input, error) {
	var all []input
	add := func(role Role, explicit bool, paths ...string) {
		for _, p := range paths {
			all = append(all, input{File: File{Role: role, Path: p}, explicit: explicit})
		}
	}
	if s.Dir != "" {
		found, err := dirInputs(s.Dir, s.TSL == "")
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	add(RoleRoot, true, s.Roots...)
	add(RoleTSLSigner, true, s.TSLSigners...)
	if s.TSL != "" {
		add(RoleTSL, true, s.TSL)
	}
	for _, p := range s.Intermediates {
		files, err := certificateFiles(p)
		if err != nil {
			return nil, err
		}
		add(RoleIntermediate, true, files...)
	}
	add(RoleCRL, true, s.CRLs...)
	if len(all) > 0 { // what was fetched says nothing without those who are believed
		fetched, err := state{s.State}.inputs()
		if err != nil {
			return nil, err
		}
		all = append(all, fetched...)
	}
	if len(all) == 0 {
		return nil, reason.Errorf(reason.TrustNotConfigured, "no trust directory and no files were named")
	}
	if len(all) > maxFiles {
		return nil, reason.Errorf(reason.TrustTooManyFiles, "%d files; at most %d are read", len(all), maxFiles)
	}
	return all, nil
}

// certificateFiles returns path itself, or the certificates in the directory.
func certificateFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, reason.New(reason.TrustFileUnreadable, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	return list(path, certificateExts())
}

// dirInputs lists the files of a trust directory or of a plain pile.
func dirInputs(dir string, withTSL bool) ([]input, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, reason.New(reason.TrustDirMissing, err)
	}
	if !exists(dir, "roots") && !exists(dir, pinsFile) {
		return pileInputs(dir)
	}
	var all []input
	single := func(name string, role Role) {
		if exists(dir, name) {
			all = append(all, input{File: File{Role: role, Path: filepath.Join(dir, name)}})
		}
	}
	single(pinsFile, RolePins)
	if withTSL {
		single(tslFile, RoleTSL)
	}
	for _, part := range layout() {
		paths, err := list(filepath.Join(dir, part.name), part.exts)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, p := range paths {
			all = append(all, input{File: File{Role: part.role, Path: p}})
		}
	}
	return all, nil
}

// pileInputs lists a plain pile of certificates.
func pileInputs(dir string) ([]input, error) {
	paths, err := list(dir, certificateExts())
	if err != nil {
		return nil, err
	}
	var all []input
	for _, p := range paths {
		all = append(all, input{File: File{Role: RoleIntermediate, Path: p}, pile: true})
	}
	return all, nil
}

// exists reports whether dir has something of that name. A name that cannot be
// looked at counts as existing, so that reading it says why.
func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// list returns the files of a directory with one of the extensions, by name.
// Hidden files are left out: downloads in progress are named so.
func list(dir string, exts []string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, reason.New(reason.TrustDirMissing, err)
	}
	var paths []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && slices.Contains(exts, ext) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

// readFile reads a regular file of 1 to limit bytes. Opening anything else, such as a
// named pipe, could block for ever; and what it is, is asked of the file that was
// opened, because another one may take its place at any moment.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, reason.New(reason.TrustFileUnreadable, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, reason.New(reason.TrustFileUnreadable, err)
	case !info.Mode().IsRegular():
		return nil, reason.Errorf(reason.TrustFileUnreadable, "%s is not a regular file", path)
	case info.Size() > limit:
		return nil, reason.Errorf(reason.TrustFileTooLarge, "%s is longer than %d bytes", path, limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, reason.New(reason.TrustFileUnreadable, err)
	case int64(len(data)) > limit:
		return nil, reason.Errorf(reason.TrustFileTooLarge, "%s is longer than %d bytes", path, limit)
	case len(data) == 0:
		return nil, reason.Errorf(reason.TrustFileEmpty, "%s is empty", path)
	}
	return data, nil
}

// parsePins reads pins.txt: one fingerprint a line, blank lines and # comments.
func parsePins(path string, data []byte) ([]Pin, error) {
	var pins []Pin
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		pin, err := ParsePin(text)
		if err != nil {
			return nil, reason.Errorf(reason.TrustPinsMalformed, "%s, line %d: %w", path, n, err)
		}
		pins = append(pins, pin)
	}
	if err := lines.Err(); err != nil {
		return nil, reason.Errorf(reason.TrustPinsMalformed, "%s: %w", path, err)
	}
	return pins, nil
}

// hashInputs names the data: SHA-256 over role and hash of each file. Paths are
// left out, so that the same data have the same name on every machine, and so are
// copies and a list that is not in force.
func hashInputs(inputs []input) string {
	lines := make([]string, 0, len(inputs))
	for _, in := range inputs {
		if !in.superseded {
			lines = append(lines, string(in.Role)+" "+hex.EncodeToString(in.SHA256[:]))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "\n")))
	return hex.EncodeToString(sum[:])
}
