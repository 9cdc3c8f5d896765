package config

import (
	"strings"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	c := parsed(t, string(sample))
	if c.Login != defaultLogin() || c.Login.SecondAlways() || !c.Login.Demo().IsZero() || c.Validate() != nil {
		t.Errorf("%+v: %v", c.Login, c.Validate())
	}
	c.Login.SecondFactor, c.Login.DemoINN = "possible", "500100732259"
	if err := c.Validate(); err != nil || !c.Login.SecondAlways() || c.Login.Demo().Reveal() != "500100732259" {
		t.Error(err)
	}
	c.Login = Login{SecondFactor: "never", MinLength: 7, HashMemory: 1024, HashesAtOnce: -1, HashQueue: 0, StepLife: time.Second, DemoINN: "000000000000"}
	err := c.Validate()
	for _, field := range []string{"second_factor", "min_length", "hash_memory", "hash_passes", "hashes_at_once", "hash_queue", "step_life", "code_life", "link_life", "demo_inn"} {
		if err == nil || !strings.Contains(err.Error(), "login."+field) {
			t.Errorf("%s is not refused: %v", field, err)
		}
	}
}
