package register

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"propusk/pki/person"
)

// maxFile bounds the file of a register, in bytes: it is read into memory whole.
const maxFile = 64 << 20

// File is a register in a file: one entry in JSON a line, empty lines aside. It is read again
// when it has changed; a file that cannot be read then leaves the one before in force. Make
// it with OpenFile.
type File struct {
	path string

	mu      sync.Mutex
	entries map[person.INN][]Entry
	size    int64
	changed time.Time
}

// OpenFile reads the file. The error names the line that is wrong, without what it holds.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	if err := f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// Find implements Register. A person may have several entries, having been an entrepreneur
// before: without an ОГРНИП the one in force counts, else the last one that was closed.
func (f *File) Find(_ context.Context, q Query) (Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	var found *Entry
	for i, e := range f.entries[q.INN] {
		if !q.OGRNIP.IsZero() && e.OGRNIP != q.OGRNIP {
			continue
		}
		if found == nil || e.Closed.IsZero() || !found.Closed.IsZero() && e.Closed.After(found.Closed) {
			found = &f.entries[q.INN][i]
		}
	}
	if found == nil {
		return Entry{}, ErrNotFound
	}
	return *found, nil
}

// refresh reads the file again if it is another one than it was.
func (f *File) refresh() {
	info, err := os.Stat(f.path)
	if err == nil && (info.Size() != f.size || !info.ModTime().Equal(f.changed)) {
		_ = f.read() // half of a file is being written, or it is gone: what was good stays
	}
}

// read reads the file.
func (f *File) read() error {
	file, err := os.Open(f.path)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if info.Size() > maxFile {
		return fmt.Errorf("register: %s is longer than %d bytes", f.path, maxFile)
	}
	entries, err := readEntries(io.LimitReader(file, maxFile))
	if err != nil {
		return fmt.Errorf("register: %s: %w", f.path, err)
	}
	f.entries, f.size, f.changed = entries, info.Size(), info.ModTime()
	return nil
}

// readEntries reads lines.
func readEntries(r io.Reader) (map[person.INN][]Entry, error) {
	entries := make(map[person.INN][]Entry)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxRecord), maxRecord)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		e, err := parse(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		entries[e.INN] = append(entries[e.INN], e)
	}
	return entries, lines.Err()
}
