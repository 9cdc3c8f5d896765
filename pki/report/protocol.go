package report

import (
	"fmt"
	"io"
)

func protocol(w io.Writer, d *Document, lang string) error {
	_, err := fmt.Fprintln(w, d.Conclusion, lang)
	return err
}
