package soft

import "testing"

// TestLogoutWipesTheKey: what was sealed cannot be opened any more by who finds the memory.
func TestLogoutWipesTheKey(t *testing.T) {
	token := &Token{role: User, key: &[keySize]byte{1, 2, 3}}
	key := token.key
	token.Logout()
	if *key != [keySize]byte{} || token.key != nil || token.Role() != 0 {
		t.Errorf("the key is still there, and the role is %d", token.Role())
	}
}
