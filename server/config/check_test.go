package config

import (
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	for field, spoil := range map[string]func(*Check){
		"check.listen":      func(c *Check) { c.Listen = "nowhere" },
		"check.url":         func(c *Check) { c.URL = "http://check.example/page" },
		"check.runs":        func(c *Check) { c.Runs = 0 },
		"check.result_life": func(c *Check) { c.ResultLife = time.Minute },
	} {
		c := defaultCheck()
		c.URL, c.Listen = "http://check.example", "127.0.0.1:80"
		var k checker
		if k.check(c); len(k.errs) != 0 {
			t.Fatal(k.errs)
		}
		if spoil(&c); true {
			k.check(c)
		}
		if len(k.errs) != 1 || !strings.Contains(k.errs[0].Error(), field) {
			t.Errorf("%s: %v", field, k.errs)
		}
	}
}
