package factor

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"propusk/server/account"
	"propusk/server/store"
)

// What every application understands: SHA-1, 6 digits, 30 seconds. RFC 6238, Section 4.
const (
	totpSecretSize = 20 // bytes; RFC 4226, Section 4, R6
	totpPeriod     = 30 // seconds
	totpDigits     = 6
	// totpSkew is how many periods a clock may be wrong; RFC 6238, Section 5.2.
	totpSkew = 1
	// proposalLife is how long a secret waits for its first code.
	proposalLife = time.Hour
	// pictureSize is that of the QR code, in pixels.
	pictureSize = 240
)

// sealTOTP is the purpose of sealed secrets.
const sealTOTP = "totp"

// Enrolment is what a person needs to teach an application the secret.
type Enrolment struct {
	// Secret is in base 32, in groups of four, to be typed.
	Secret string
	// URI is "otpauth://totp/…", and PNG a picture of it (QR code).
	URI string
	PNG []byte
}

// Propose makes a new secret, which counts for nothing until Confirm; a secret that was
// proposed before is forgotten. Label is what the application shows under the issuer.
func (k *Keeper) Propose(tx store.Tx, id account.ID, label string) (Enrolment, error) {
	err := k.forget(tx, id, func(f account.Factor) bool { return f.Kind == account.TOTP && f.Confirmed.IsZero() })
	if err != nil {
		return Enrolment{}, err
	}
	secret := make([]byte, totpSecretSize)
	rand.Read(secret) // never fails: crypto/rand aborts the program instead
	f := account.Factor{Account: id, ID: account.NewName(), Kind: account.TOTP, Added: k.opts.Now()}
	f.Sealed = k.opts.Sealer.Seal(sealTOTP, owner(f), secret)
	if err := tx.PutFactor(f); err != nil {
		return Enrolment{}, err
	}
	return k.enrolment(secret, label)
}

// Proposed returns the enrolment that waits to be confirmed, to be shown again;
// [store.ErrNotFound] if there is none, or if it is older than an hour.
func (k *Keeper) Proposed(tx store.Tx, id account.ID, label string) (Enrolment, error) {
	f, err := k.proposal(tx, id)
	if err != nil {
		return Enrolment{}, err
	}
	secret, err := k.opts.Sealer.Open(sealTOTP, owner(f), f.Sealed)
	if err != nil {
		return Enrolment{}, err
	}
	return k.enrolment(secret, label)
}

func (k *Keeper) proposal(tx store.Tx, id account.ID) (account.Factor, error) {
	all, err := tx.Factors(id)
	if err != nil {
		return account.Factor{}, err
	}
	for _, f := range all {
		if f.Kind == account.TOTP && f.Confirmed.IsZero() && k.opts.Now().Before(f.Added.Add(proposalLife)) {
			return f, nil
		}
	}
	return account.Factor{}, store.ErrNotFound
}

func (k *Keeper) enrolment(secret []byte, label string) (Enrolment, error) {
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: k.opts.Issuer, AccountName: label, Secret: secret, SecretSize: totpSecretSize,
		Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("factor: %w", err)
	}
	picture, err := key.Image(pictureSize, pictureSize)
	if err != nil {
		return Enrolment{}, fmt.Errorf("factor: draw the QR code: %w", err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return Enrolment{}, fmt.Errorf("factor: write the QR code: %w", err)
	}
	return Enrolment{Secret: groups(key.Secret()), URI: key.URL(), PNG: file.Bytes()}, nil
}

// groups puts a space after every four characters.
func groups(s string) string {
	var b strings.Builder
	for i, c := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Confirm makes the proposed application count, instead of an older one, if the code is one
// of its codes, and returns fresh recovery codes, to be shown this once. The error is
// [store.ErrNotFound] if nothing was proposed, or if the proposal is older than an hour.
func (k *Keeper) Confirm(tx store.Tx, id account.ID, code string) (recovery []string, ok bool, err error) {
	f, err := k.proposal(tx, id)
	if err != nil {
		return nil, false, err
	}
	step, ok, err := k.step(f, code)
	if err != nil || !ok {
		return nil, false, err
	}
	err = k.forget(tx, id, func(other account.Factor) bool { return other.Kind == account.TOTP && other.ID != f.ID })
	if err != nil {
		return nil, false, err
	}
	f.Confirmed, f.LastUsed, f.Counter = k.opts.Now(), k.opts.Now(), step
	if err := tx.PutFactor(f); err != nil {
		return nil, false, err
	}
	recovery, err = k.NewRecovery(tx, id)
	return recovery, err == nil, err
}

// RemoveTOTP forgets the application and the recovery codes.
func (k *Keeper) RemoveTOTP(tx store.Tx, id account.ID) error {
	return k.remove(tx, id, account.TOTP, account.Recovery)
}

// TOTP reports whether a code is one of the application, and uses it up with all that came
// before it: nobody who has seen it typed can use it again. RFC 6238, Section 5.2.
func (k *Keeper) TOTP(tx store.Tx, id account.ID, code string) (bool, error) {
	f, ok, err := k.find(tx, id, account.TOTP)
	if err != nil || !ok {
		return false, err
	}
	step, ok, err := k.step(f, code)
	if err != nil || !ok {
		return false, err
	}
	f.LastUsed, f.Counter = k.opts.Now(), step
	return true, tx.PutFactor(f)
}

// step returns the time step that a code belongs to, if it was not used up. It looks at all
// of them whatever it finds.
func (k *Keeper) step(f account.Factor, code string) (int64, bool, error) {
	secret, err := k.opts.Sealer.Open(sealTOTP, owner(f), f.Sealed)
	if err != nil {
		return 0, false, err
	}
	code = Digits(code)
	now, found := k.opts.Now().Unix()/totpPeriod, int64(0)
	for at := now - totpSkew; at <= now+totpSkew; at++ {
		want, err := hotp.GenerateCodeCustom(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), uint64(at), //nolint:gosec // after 1970
			hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("factor: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && at > f.Counter {
			found = at
		}
	}
	return found, found > 0, nil
}

// owner names a factor for the seal.
func owner(f account.Factor) string { return string(f.Account) + "/" + f.ID }

// Digits returns a code as people type it without what they put between its digits: spaces
// and hyphens.
func Digits(code string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code)
}
