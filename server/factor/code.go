package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

const (
	// digestSize is that of a code in the store, in bytes.
	digestSize = 32
	// recoveryCodes is how many codes are on the paper.
	recoveryCodes = 10
	// recoveryLength is that of a code: 50 bits.
	recoveryLength = 10
	// maxTries is how often one code by e-mail is compared.
	maxTries = 5
	// emailDigits is the length of a code by e-mail.
	emailDigits = 8
)

// alphabet is Crockford's base 32: no letter can be taken for a digit.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewRecovery returns fresh recovery codes "XXXXX-XXXXX", to be shown this once; the old ones
// are void.
func (k *Keeper) NewRecovery(tx store.Tx, id account.ID) ([]string, error) {
	if err := k.remove(tx, id, account.Recovery); err != nil {
		return nil, err
	}
	now := k.opts.Now()
	f := account.Factor{Account: id, ID: account.NewName(), Kind: account.Recovery, Added: now, Confirmed: now}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		code := newRecoveryCode()
		codes[i] = code[:recoveryLength/2] + "-" + code[recoveryLength/2:]
		digest := k.opts.Sealer.Pepper("recovery code", owner(f)+"/"+code)
		f.Sealed = append(f.Sealed, digest[:]...)
	}
	return codes, tx.PutFactor(f)
}

func newRecoveryCode() string {
	raw := make([]byte, recoveryLength)
	rand.Read(raw) // never fails: crypto/rand aborts the program instead
	for i := range raw {
		raw[i] = alphabet[raw[i]%32]
	}
	return string(raw)
}

// Recovery reports whether a code is one of the recovery codes, and uses it up. Small letters,
// and letters that look like digits, are read as what they were meant for.
func (k *Keeper) Recovery(tx store.Tx, id account.ID, code string) (bool, error) {
	f, ok, err := k.find(tx, id, account.Recovery)
	if err != nil || !ok {
		return false, err
	}
	code = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(Digits(code)))
	digest := k.opts.Sealer.Pepper("recovery code", owner(f)+"/"+code)
	found := -1
	for at := 0; at+digestSize <= len(f.Sealed); at += digestSize {
		if subtle.ConstantTimeCompare(f.Sealed[at:at+digestSize], digest[:]) == 1 {
			found = at
		}
	}
	if found < 0 {
		return false, nil
	}
	f.Sealed = append(f.Sealed[:found:found], f.Sealed[found+digestSize:]...)
	f.LastUsed = k.opts.Now()
	return true, tx.PutFactor(f)
}

// EmailCode returns a fresh code of 8 digits for a purpose, such as "second", and for what
// owner names, such as a sign-in that waits; the older one for both is void. The caller
// bounds how many are sent.
func (k *Keeper) EmailCode(tx store.Tx, id account.ID, purpose, owner string) (code string, until time.Time, err error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("factor: %w", err)
	}
	code = fmt.Sprintf("%0*d", emailDigits, n)
	now := k.opts.Now()
	digest := k.opts.Sealer.Pepper("email code", purpose+"/"+owner+"/"+code)
	until = now.Add(k.opts.CodeLife)
	return code, until, tx.PutSecret(account.Secret{
		Digest: place(id, owner), Purpose: emailPurpose(purpose), Account: id, Data: digest[:], Created: now, Expires: until,
	})
}

// CheckEmailCode reports whether a code by e-mail is right, and uses it up. It is void after
// five wrong ones.
func (k *Keeper) CheckEmailCode(tx store.Tx, id account.ID, purpose, owner, code string) (bool, error) {
	now := k.opts.Now()
	s, err := tx.TakeSecret(emailPurpose(purpose), place(id, owner), now)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	digest := k.opts.Sealer.Pepper("email code", purpose+"/"+owner+"/"+Digits(code))
	if subtle.ConstantTimeCompare(s.Data, digest[:]) == 1 {
		return true, nil
	}
	if s.Tries++; s.Tries >= maxTries {
		return false, nil
	}
	return false, tx.PutSecret(s)
}

// emailPurpose is the purpose of the secret.
func emailPurpose(purpose string) string { return "email-code-" + purpose }

// place is where the code for an owner is: not under the code, so that wrong ones are
// counted.
func place(id account.ID, owner string) [32]byte {
	return sha256.Sum256([]byte("propusk email code 1\x00" + string(id) + "\x00" + owner))
}
