package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes the store at path, as it is at one moment, into a new file, while others read
// and write: all but visits and secrets, so that who restores it brings back no session that
// has ended since, and no link or code that was used. The copy is for our user only, and durable when Backup returns; it is opened by
// Open. A file that is there stays: the error is [fs.ErrExist] then.
func Backup(ctx context.Context, path, to string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := connect(path, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := ours(ctx, db); err != nil {
		return err
	}
	// SQLite would make a file that everybody may read; it fills an empty one.
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	if err := leaveOut(ctx, to); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return settle(to)
}

// leaveOut takes out of a copy what opens something for a short time, and checks the rest: a
// copy that is damaged must not be taken for one.
func leaveOut(ctx context.Context, to string) (err error) {
	db, err := connect(to, "_pragma=secure_delete(on)&_pragma=journal_mode(memory)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "DELETE FROM visit; DELETE FROM secret"); err != nil {
		return err
	}
	var sound string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&sound); err != nil {
		return err
	}
	if sound != "ok" {
		return fmt.Errorf("store: the copy is damaged, and so may be the store: %s", sound)
	}
	return nil
}

// ours refuses a file that is not a store.
func ours(ctx context.Context, db *sql.DB) error {
	var id int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return format(err)
	}
	if id != applicationID {
		return ErrFormat
	}
	return nil
}

// settle makes a file and its name durable.
func settle(path string) error {
	for _, name := range []string{path, filepath.Dir(path)} {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
