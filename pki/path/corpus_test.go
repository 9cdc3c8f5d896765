package path

import (
	"bufio"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/verdict"
)

// listed is one certificate of the list of accredited CAs.
type listed struct {
	file, expected string
	cert           *gostx509.Certificate
}

// corpus reads the CA certificates of the list, and the roots.
func corpus(t testing.TB) (all []listed, roots *Pool) {
	t.Helper()
	dir := samples.Path(t, "data", "ca_certs")
	table, err := os.Open(filepath.Join(dir, "accredited.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, 1<<20)
	columns := make(map[string]int)
	for lines.Scan() {
		row := strings.Split(lines.Text(), "\t")
		if len(columns) == 0 {
			for i, name := range row {
				columns[name] = i
			}
			continue
		}
		name := row[columns["file"]]
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := gostx509.Parse(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, listed{name, row[columns["expected"]], c})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all, NewPool(readRoots(t, filepath.Join(dir, "roots.pem"))...)
}

func readRoots(t testing.TB, name string) []*gostx509.Certificate {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var roots []*gostx509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := gostx509.Parse(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, c)
	}
	return roots
}

// TestCorpus builds a path for every CA certificate of the real list and compares
// with the verdicts of OpenSSL (see the shared INDEX.tsv).
func TestCorpus(t *testing.T) {
	all, roots := corpus(t)
	if roots.Len() != 7 {
		t.Errorf("%d roots, want 7", roots.Len())
	}
	intermediates := NewPool()
	for _, r := range all {
		intermediates.Add(r.cert)
	}
	counts := make(map[reason.Code]int)
	for _, r := range all {
		opts := Options{
			Roots: roots, Intermediates: intermediates, At: r.cert.NotBefore,
			Revocation: InsecureSkipRevocation{}, InsecureSkipValidity: true,
		}
		result := Build(r.cert, opts)
		var why reason.Code
		if result.Status != verdict.Passed {
			why = firstReason(result)
		}
		counts[why]++
		want := strings.HasPrefix(r.expected, "VALID")
		if (why == "") != want {
			t.Errorf("%s: %q, but expected is %q; %+v", r.file, why, r.expected, result.Checks)
		}
		if why == "" && !roots.Contains(result.Chain[len(result.Chain)-1]) {
			t.Errorf("%s: the path does not end at a root", r.file)
		}
		// At its own beginning a certificate must pass with dates too.
		opts.InsecureSkipValidity = false
		if dated := Build(r.cert, opts); why == "" && dated.Status != verdict.Passed {
			counts["dated "+firstReason(dated)]++
		}
	}
	t.Logf("%d certificates: %v", len(all), counts)
}

func firstReason(r Result) reason.Code {
	for _, c := range r.Checks {
		if c.Status != verdict.Passed {
			return c.Reason
		}
	}
	return ""
}

func BenchmarkBuildCorpus(b *testing.B) {
	all, roots := corpus(b)
	intermediates := NewPool()
	for _, r := range all {
		intermediates.Add(r.cert)
	}
	opts := Options{Roots: roots, Intermediates: intermediates, Revocation: InsecureSkipRevocation{}, InsecureSkipValidity: true, At: time.Now()}
	n := 0
	for b.Loop() {
		Build(all[n%len(all)].cert, opts)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "chains/s")
}
