package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"propusk/pki/cms"
	"propusk/server/testgateway"
)

// Environment of TestOneGigabyte.
const (
	largeEnv = "PROPUSK_LARGE"   // 1: run it
	childEnv = "PROPUSK_GATEWAY" // set in the process of the gateway
)

// zeros is a document of any length that nobody holds.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// TestOneGigabyte sends a document of 1 GB over TLS to a gateway in a process of its
// own, with its signature before it and after it, and asks the kernel what the most was
// that the gateway had resident.
func TestOneGigabyte(t *testing.T) {
	const n, most = 1_000_000_000, 64 << 20
	if os.Getenv(childEnv) != "" {
		gatewayProcess(t, n)
		return
	}
	if os.Getenv(largeEnv) != "1" {
		t.Skip(largeEnv + "=1 sends 1 GB to a gateway")
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestOneGigabyte$")
	child.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close() // tells it to finish
		_, err := io.Copy(io.Discard, stdout)
		if err := errors.Join(err, child.Wait()); err != nil {
			t.Error(err)
		}
	}()
	lines := bufio.NewScanner(stdout)
	var url, dir string
	for url == "" && lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "gateway "); ok {
			url, dir, _ = strings.Cut(rest, " ")
		}
	}
	signature, err := os.ReadFile(dir + "/large.sig")
	if err != nil {
		t.Fatal(err)
	}
	for _, first := range []string{"signature", "content"} {
		// From here on the kernel remembers the most anew.
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", child.Process.Pid), []byte("5"), 0o200); err != nil {
			t.Skip(err)
		}
		sendLarge(t, url, signature, n, first)
		peak := residentPeak(t, child.Process.Pid)
		t.Logf("the %s first: %d KiB resident at most", first, peak>>10)
		if peak > most {
			t.Errorf("the %s first: %d bytes resident, want no more than %d", first, peak, most)
		}
	}
}

// gatewayProcess runs a gateway until the standard input ends.
func gatewayProcess(t *testing.T, n int64) {
	g := testgateway.Start(t)
	p := g.Country.Person("ip")
	signature, err := cms.CreateDetached(nil, &zeros{n}, cms.Signatory{Key: p.Key, Certificate: p.Certificate, Time: g.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	g.WriteFile("large.sig", string(signature))
	fmt.Printf("gateway %s %s\n", g.Config.Public.URL, g.Dir)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Error(err)
	}
}

// sendLarge sends a form with a document of n zeros, which must pass.
func sendLarge(t *testing.T, url string, signature []byte, n int64, first string) {
	t.Helper()
	pipe, to := io.Pipe()
	w := multipart.NewWriter(to)
	go func() {
		to.CloseWithError(writeLarge(w, signature, n, first))
	}()
	client := insecureBrowser()
	defer client.CloseIdleConnections()
	res, err := client.Post(url+"/api/v1/verify", w.FormDataContentType(), pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), `"conclusion":"TOTAL-PASSED"`) {
		t.Errorf("%v, %d %s", err, res.StatusCode, body)
	}
}

func writeLarge(w *multipart.Writer, signature []byte, n int64, first string) error {
	names := []string{"signature", "content"}
	if first == "content" {
		names = []string{"content", "signature"}
	}
	for _, name := range names {
		part, err := w.CreateFormFile(name, "file")
		if err != nil {
			return err
		}
		var from io.Reader = bytes.NewReader(signature)
		if name == "content" {
			from = &zeros{n}
		}
		if _, err := io.CopyBuffer(part, struct{ io.Reader }{from}, make([]byte, 256<<10)); err != nil {
			return err
		}
	}
	return w.Close()
}

// residentPeak returns the most that a process had resident, in bytes.
func residentPeak(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Skip("the kernel does not tell")
	return 0
}

// insecureBrowser takes any certificate: that of the gateway is of its own country.
func insecureBrowser() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}}
}
