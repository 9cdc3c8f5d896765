package report

import (
	"crypto/sha256"
	"encoding/json"
	"reflect"
	"sync/atomic"

	"propusk/pki/validate"
)

// policyDigest returns the SHA-256 of a policy in JSON. A policy is plain data: it always
// has that form, and always the same.
func policyDigest(p *validate.Policy) string {
	known := digested.Load()
	if known != nil {
		for i := range known {
			if known[i].digest != "" && reflect.DeepEqual(&known[i].policy, p) {
				return known[i].digest
			}
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	fresh := digestedPolicy{digest: hexadecimal(sum[:])}
	// The caller may change what p points to, later: a copy is kept, and only if nothing
	// was lost on the way.
	if json.Unmarshal(text, &fresh.policy) == nil && reflect.DeepEqual(&fresh.policy, p) {
		next := [policies]digestedPolicy{fresh}
		if known != nil {
			copy(next[1:], known[:])
		}
		digested.Store(&next)
	}
	return fresh.digest
}

// policies is how many digests are remembered: a server has a policy for verdicts and one
// for sign-ins.
const policies = 4

type digestedPolicy struct {
	policy validate.Policy
	digest string
}

// digested are the policies that were asked about last, the newest first. An array does
// not change when it is here.
var digested atomic.Pointer[[policies]digestedPolicy]
