package profile

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestDeviceName: browsers as people know them, though most of them name others too.
func TestDeviceName(t *testing.T) {
	for agent, want := range map[string]string{
		"": "",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                             "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 YaBrowser/25.8.0.0 Safari/537.36": "Yandex Browser, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":      "Microsoft Edge, Windows",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                       "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1":   "Safari, iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":              "Safari, macOS",
		"curl/8.5.0":                "curl",
		"Test/1.0":                  "Test/1.0",
		"<script>alert(1)</script>": "<script>alert(1)</script>",
		strings.Repeat("ж", 100):    strings.Repeat("ж", 60) + "…",
	} {
		if got := deviceName(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

// FuzzDeviceName: whatever a browser calls itself, a short text comes out.
func FuzzDeviceName(f *testing.F) {
	for _, seed := range []string{"", "Firefox/", "Mozilla/5.0 (X11; Linux x86_64)", "\xff\xfe", strings.Repeat("a", 500)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		if got := deviceName(agent); utf8.RuneCountInString(got) > maxDeviceName+1 {
			t.Errorf("%q: %q", agent, got)
		}
	})
}
