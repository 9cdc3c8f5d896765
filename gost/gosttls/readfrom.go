package gosttls

import (
	"errors"
	"io"
	"sync"

	"propusk/gost/gosttls/internal/record"
)

// copySize is how many bytes ReadFrom takes at once: four records, which are sealed
// side by side. More would be a little faster, and cost memory for each client that
// reads slowly.
const copySize = 4 * record.MaxPlaintext

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// ReadFrom writes what it reads from r until that ends, as it comes. It implements
// [io.ReaderFrom], which [io.Copy] and [net/http] use for files: records are faster to
// protect when there are several at once than in the portions of io.Copy.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	buf, ok := copyBuffers.Get().(*[copySize]byte)
	if !ok {
		panic("gosttls: the pool holds something else")
	}
	defer copyBuffers.Put(buf)
	var total int64
	for {
		n, readErr := r.Read(buf[:])
		if n > 0 {
			written, err := c.Write(buf[:n])
			total += int64(written)
			if err != nil {
				return total, err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
	}
}
