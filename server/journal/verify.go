package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Broken says where a chain is broken.
type Broken struct {
	// Number is that of the first record that is not right: the place where it should be.
	Number uint64
	// Why says what is wrong with it.
	Why string
}

// Error implements error.
func (b *Broken) Error() string { return fmt.Sprintf("journal: record %d: %s", b.Number, b.Why) }

// Chain verifies records one after another. The zero value waits for the first record.
type Chain struct {
	head  Head
	heads map[uint64][HashSize]byte
}

// Expect adds a head that was noted earlier: the chain must run through it. It must be
// called before the records come.
func (c *Chain) Expect(heads ...Head) {
	if c.heads == nil {
		c.heads = make(map[uint64][HashSize]byte)
	}
	for _, h := range heads {
		c.heads[h.Number] = h.Hash
	}
}

// Head returns the end of what was verified so far.
func (c *Chain) Head() Head { return c.head }

// Add verifies the next record. The error is a [*Broken]; no records may be added after it.
func (c *Chain) Add(r Record) error {
	n := c.head.Number + 1
	switch hash, noted := c.heads[n]; {
	case r.Number != n:
		return &Broken{n, fmt.Sprintf("record %d is in its place", r.Number)}
	case n > 1 && r.Previous != c.head.Hash:
		return &Broken{n, "it does not follow the record before it"}
	case r.Sum() != r.Hash:
		return &Broken{n, "its hash is not that of its fields"}
	case noted && hash != r.Hash:
		return &Broken{n, "its hash is not the one that was noted"}
	}
	if err := r.Check(); err != nil {
		return &Broken{n, err.Error()}
	}
	c.head = r.head()
	return nil
}

// End verifies that nothing is missing at the end, as far as heads tell.
func (c *Chain) End() error {
	for n, hash := range c.heads {
		if n > c.head.Number || n == 0 && hash != [HashSize]byte{} {
			return &Broken{c.head.Number + 1, fmt.Sprintf("it is missing; the journal once had %d records", n)}
		}
	}
	return nil
}

// Verify verifies a whole journal, and that it runs through the heads given. The error is a
// [*Broken], [ErrDamaged] in a file whose chain is whole, or that of reading.
func Verify(ctx context.Context, j Journal, heads ...Head) (Head, error) {
	var c Chain
	c.Expect(heads...)
	err := each(ctx, j, c.Add)
	if err == nil {
		err = c.End()
	}
	if f, ok := j.(*File); ok && err == nil {
		err = f.whole(ctx)
	}
	return c.head, err
}

// Export writes a journal as lines, whether its chain is whole or not. The error is a
// [*Broken] if a record cannot be written as a line.
func Export(ctx context.Context, j Journal, w io.Writer) error {
	out := bufio.NewWriter(w)
	err := each(ctx, j, func(r Record) error {
		_, err := out.Write(append(r.Line(), '\n'))
		return err
	})
	return errors.Join(err, out.Flush())
}

// each calls f with every record up to the end, or to its first error.
func each(ctx context.Context, j Journal, f func(Record) error) error {
	for from := uint64(1); ; {
		page, err := j.Read(ctx, from, maxPage)
		for _, r := range page {
			if err := f(r); err != nil {
				return err
			}
		}
		if err != nil || len(page) == 0 {
			return err
		}
		from = page[len(page)-1].Number + 1
	}
}

// VerifyLines verifies an export, and that it runs through the heads given. The error is a
// [*Broken], or that of r.
func VerifyLines(r io.Reader, heads ...Head) (Head, error) {
	var c Chain
	c.Expect(heads...)
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4096), maxLine+2)
	in.Split(wholeLines)
	for in.Scan() {
		record, err := ParseLine(in.Bytes())
		if err != nil {
			return c.head, &Broken{c.head.Number + 1, err.Error()}
		}
		if err := c.Add(record); err != nil {
			return c.head, err
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return c.head, &Broken{c.head.Number + 1, "it is not a line of an export"}
	case err != nil:
		return c.head, err
	}
	return c.head, c.End()
}

// wholeLines is a bufio.SplitFunc like [bufio.ScanLines], but a line may not end with CR.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
