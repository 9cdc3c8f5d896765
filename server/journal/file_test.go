package journal

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// childPath names the journal that the test binary is to fill as a child of TestKill.
const childPath = "PROPUSK_TEST_JOURNAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		child(path)
	}
	os.Exit(m.Run())
}

// child appends for ever, from several goroutines, and prints what was acknowledged.
func child(path string) {
	f, err := Open(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				r, err := f.Append(context.Background(), event(i%50))
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				fmt.Println(r.head()) // one write
			}
		}()
	}
	select {}
}

// TestKill: a writer that is killed in the middle of appending loses nothing that it has
// acknowledged, and leaves a chain that goes on.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	var heads []Head
	for round := range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childPath+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 10+round*7 {
				if err := cmd.Process.Kill(); err != nil { // SIGKILL; what is in the pipe still comes
					t.Fatal(err)
				}
			}
			h, err := ParseHead(lines.Text())
			if err != nil {
				if n > 10 {
					break // the last line, cut
				}
				t.Fatal(lines.Text())
			}
			heads = append(heads, h)
		}
		_ = cmd.Wait() // it was killed
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, f, 1)
		if _, err := Verify(t.Context(), f, heads...); err != nil {
			t.Fatalf("round %d, %d acknowledged: %v", round, len(heads), err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(heads) < 50 {
		t.Errorf("only %d acknowledged", len(heads))
	}
}

// spoil runs statements on the file behind the back of the journal, its triggers taken away.
func spoil(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]string{"DROP TRIGGER IF EXISTS record_stays", "DROP TRIGGER IF EXISTS record_stands"}, statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// filled returns a closed journal of five records.
func filled(t *testing.T) (string, []Record) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	all := fill(t, f, 5)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path, all
}

func verifyFile(path string, heads ...Head) error {
	f, err := OpenReadOnly(path)
	if err != nil {
		return err
	}
	_, err = Verify(context.Background(), f, heads...)
	return errors.Join(err, f.Close())
}

// TestRowsTampered: every byte of every field of every row matters, and the record is named.
func TestRowsTampered(t *testing.T) {
	path, all := filled(t)
	if err := verifyFile(path, all[4].head()); err != nil {
		t.Fatal(err)
	}
	// Without the triggers the file is not ours any more, whole chain or not.
	spoil(t, path)
	if err := verifyFile(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("without triggers: %v", err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA synchronous = off"); err != nil { // thousands of changes
		t.Fatal(err)
	}
	f, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := strings.Split(columns, ", ")
	for n := 1; n <= 5; n += 2 {
		for _, name := range names {
			var value any
			if err := db.QueryRow(fmt.Sprintf("SELECT %s FROM record WHERE n = %d", name, n)).Scan(&value); err != nil {
				t.Fatal(err)
			}
			for i, other := range variants(value) {
				set(t, db, n, name, other)
				at := uint64(n)
				wantBroken(t, fmt.Sprintf("%s of %d, change %d", name, n, i), at, func() error {
					// The head is noted: a new number of the last record is a missing one.
					_, err := Verify(t.Context(), f, all[4].head())
					return err
				})
				if name == "n" {
					if _, err := db.Exec("UPDATE record SET n = ? WHERE n = ?", n, other); err != nil {
						t.Fatal(err)
					}
					continue
				}
				set(t, db, n, name, value)
			}
		}
	}
	if _, err := Verify(t.Context(), f); !errors.Is(err, ErrDamaged) { // all was put back
		t.Error(err)
	}
}

func set(t *testing.T, db *sql.DB, n int, name string, value any) {
	t.Helper()
	if _, err := db.Exec(fmt.Sprintf("UPDATE record SET %s = ? WHERE n = %d", name, n), value); err != nil {
		t.Fatal(err)
	}
}

// variants returns other values of a column: each byte changed, one more, one less, none.
func variants(value any) []any {
	var out []any
	switch v := value.(type) {
	case int64:
		out = append(out, v+1000, v^1<<40, v|1<<62)
	case string:
		for i := range len(v) {
			b := []byte(v)
			b[i] ^= 1
			out = append(out, string(b))
		}
		out = append(out, v+"a", v+"\x00", v[:len(v)-1], "")
	case []byte:
		for i := range v {
			b := append([]byte(nil), v...)
			b[i] ^= 1
			out = append(out, b)
		}
		out = append(out, append(append([]byte(nil), v...), 0), v[:len(v)-1], []byte{}, make([]byte, 32))
	}
	return out
}

func TestRowsMoved(t *testing.T) {
	insertion := "INSERT INTO record SELECT 3, previous, at, kind, action, conclusion, reason, subject, client, address, device, certificate, engine, document, digest, \"order\", support, detail, hash FROM record WHERE n = 2"
	for _, c := range []struct {
		name       string
		at         uint64
		statements []string
	}{
		{"first deleted", 1, []string{"DELETE FROM record WHERE n = 1"}},
		{"middle deleted", 3, []string{"DELETE FROM record WHERE n = 3"}},
		{"deleted and closed up", 3, []string{"DELETE FROM record WHERE n = 3", "UPDATE record SET n = 3 WHERE n = 4", "UPDATE record SET n = 4 WHERE n = 5"}},
		{"swapped", 2, []string{"UPDATE record SET n = 99 WHERE n = 2", "UPDATE record SET n = 2 WHERE n = 4", "UPDATE record SET n = 4 WHERE n = 99"}},
		{"inserted", 3, []string{"UPDATE record SET n = 6 WHERE n = 5", "UPDATE record SET n = 5 WHERE n = 4", "UPDATE record SET n = 4 WHERE n = 3", insertion}},
		{"truncated", 4, []string{"DELETE FROM record WHERE n > 3"}},
		{"emptied", 1, []string{"DELETE FROM record"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, all := filled(t)
			spoil(t, path, c.statements...)
			wantBroken(t, c.name, c.at, func() error { return verifyFile(path, all[4].head()) })
		})
	}
	path, _ := filled(t)
	spoil(t, path, "UPDATE record SET n = -1 WHERE n = 1", "UPDATE record SET subject = 'b' WHERE n = -1")
	wantBroken(t, "before the first", 1, func() error { return verifyFile(path) })
	path, _ = filled(t)
	spoil(t, path, append(schema[2:], strings.Replace(insertion, "SELECT 3", "SELECT -3", 1))...)
	if err := verifyFile(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("a row before the first: %v", err)
	}
}

// TestNothingIsForgotten: the file itself refuses what no interface offers.
func TestNothingIsForgotten(t *testing.T) {
	f, _ := newFile(t)
	fill(t, f, 2)
	for _, s := range []string{"DELETE FROM record", "UPDATE record SET at = 0", "DELETE FROM record WHERE n = 2"} {
		if _, err := f.writer.Exec(s); err == nil || !strings.Contains(err.Error(), "a journal") {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, err := f.reader.Exec("INSERT INTO record SELECT * FROM record"); err == nil {
		t.Error("a reader writes")
	}
	if head, err := Verify(t.Context(), f); err != nil || head.Number != 2 {
		t.Errorf("%v, %v", head, err)
	}
}

// TestTwoWriters: a second writer is refused, also one that goes past the lock; readers are not.
func TestTwoWriters(t *testing.T) {
	f, path := newFile(t)
	fill(t, f, 2)
	if _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("the second: %v", err)
	}
	if err := verifyFile(path); err != nil {
		t.Errorf("a reader: %v", err)
	}
	r, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Append(t.Context(), event(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("a reader: %v", err)
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	second, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	fill(t, second, 1)
	if _, err := f.Append(t.Context(), event(1)); !errors.Is(err, ErrForeign) {
		t.Errorf("past the lock: %v", err)
	}
	if head, err := Verify(t.Context(), r); err != nil || head.Number != 3 {
		t.Errorf("%v, %v", head, err)
	}
}

// TestFullDisk: when the disk is full events are refused, the chain stays whole, and goes on
// when there is room again.
func TestFullDisk(t *testing.T) {
	f, path := newFile(t)
	done := fill(t, f, 3)
	var pages int
	if err := f.writer.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		if _, err := f.writer.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 2)
	var full error
	for i := 0; full == nil && i < 1000; i++ {
		var r Record
		if r, full = f.Append(t.Context(), event(i%50)); full == nil {
			done = append(done, r)
		} else if r != (Record{}) {
			t.Error("a record that was not written")
		}
	}
	if full == nil || !strings.Contains(full.Error(), "full") {
		t.Fatal(full)
	}
	limit(1 << 20)
	done = append(done, fill(t, f, 2)...)
	var heads []Head
	for _, r := range done {
		heads = append(heads, r.head())
	}
	if err := verifyFile(path, heads...); err != nil {
		t.Error(err)
	}
	if head, err := f.Head(t.Context()); err != nil || head != heads[len(heads)-1] || int(head.Number) != len(heads) {
		t.Errorf("%v, %v", head, err)
	}
}

// TestBackPressure: while the disk does not take anything, callers wait, and who gives up is
// not written.
func TestBackPressure(t *testing.T) {
	f, path := newFile(t)
	fill(t, f, 1)
	block, err := connect(path, "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer block.Close()
	block.SetMaxOpenConns(1)
	if _, err := block.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	const waiting = maxQueue + maxBatch + 10
	results := make(chan error, waiting)
	for i := range waiting {
		go func() { _, err := f.Append(ctx, event(i%50)); results <- err }()
	}
	for len(f.queue) < maxQueue && len(results) == 0 { // a slow machine may have waited too long already
		runtime.Gosched()
	}
	cancel()
	for range waiting {
		if err := <-results; err == nil {
			t.Fatal("acknowledged while nothing can be written")
		}
	}
	if _, err := block.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	r := fill(t, f, 1)[0]
	if r.Number > 1+1+maxBatch { // the batch that was under way may be written, and no other
		t.Errorf("record %d", r.Number)
	}
	if _, err := Verify(t.Context(), f); err != nil {
		t.Error(err)
	}
}

func TestNotAJournal(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	newer, _ := filled(t)
	spoil(t, newer, "PRAGMA user_version = 2")
	for _, path := range []string{text, other, newer} {
		if _, err := Open(path); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := OpenReadOnly(path); !errors.Is(err, ErrFormat) {
			t.Errorf("%s, to read: %v", path, err)
		}
	}
	if _, err := OpenReadOnly(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "absent", "journal.db")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	path, _ := filled(t)
	spoil(t, path, "UPDATE record SET detail = 'b' WHERE n = 5")
	wantBroken(t, "the last record", 5, func() error { _, err := Open(path); return err })
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestDamagedIndex: records that are hidden from their person are found.
func TestDamagedIndex(t *testing.T) {
	path, _ := filled(t)
	spoil(t, path, append([]string{"PRAGMA writable_schema = on", "UPDATE sqlite_schema SET sql = replace(sql, '(subject, n)', '(subject, n) WHERE n > 2') WHERE name = 'record_of'"}, schema[2:]...)...)
	if err := verifyFile(path); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}
