package selftest

import (
	"propusk/gost/kdf"
	"propusk/gost/keywrap"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

// derivation are the functions that make, wrap and unwrap keys.
var derivation = []check{
	{"KDF", func() error {
		key := kdf.KDF(unhex(kdfKey), unhex(kdfLabel), unhex(kdfSeed))
		return equal(key[:], kekSeed)
	}},
	{"KDF_TREE", func() error { return equal(kdf.Tree(unhex(kdfKey), unhex(kdfLabel), unhex(kdfSeed), 1, 64), kdfTree) }},
	{"PRF", func() error {
		return equal(kdf.PRF(unhex(preMaster), "extended master secret", unhex(sessionHash), 48), master)
	}},
	{"TLSTREE, Kuznyechik", func() error { return tree(kdf.KuznyechikCTROMAC, 1<<32, treeKuznyechik) }},
	{"TLSTREE, Magma", func() error { return tree(kdf.MagmaCTROMAC, 1<<38, treeMagma) }},
	{"KExp15, Kuznyechik", func() error { return wraps(kuznyechik.New, kegKuznyechik, "214a6a298e99e325", wrappedKuznyechik) }},
	{"KExp15, Magma", func() error { return wraps(magma.New, kegMagma, "214a6a29", wrappedMagma) }},
}

const (
	// RFC 7836, Appendix B, examples 9 and 10.
	kdfKey   = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	kdfLabel = "26bdb878"
	kdfSeed  = "af21434145656378"
	kdfTree  = "22b6837845c6bef65ea71672b265831086d3c76aebe6dae91cad51d83f79d16b074c9330599d7f8d712fca54392f4ddde93751206b3584c8f43f9e6dc51531f9"

	// RFC 9189, Appendix A.1.3.1.
	preMaster    = "a5576ce7924a24f58113808dbd9ef856f5bdc3b183ce5dadca36a53aa077651d"
	sessionHash  = "7e1f59d3649db60900ea4f8a585a657a9277b30450584cf54351198cdea30c49"
	master       = "fdd27cb404ad4e4449684f7c5590e9e702ef4101933b5277a4a96df500b07cc3324fd8a6d907cbb03df3fb331f1c4d0c"
	kegMagma     = "2d8ba8c84cb232ff41f10c3ad924134223254f71e5696d3d29c3e4c9daa6b293849eb6340bffae6928a3c3e4ff92eccb1e8f0cf7a188368e6b748e52ea378b0c"
	wrappedMagma = "d7f0f0422367867b25fa4233a954f58bde92e9c9bbfb8816c99f15e6398722a0b2b7bfe8493e9a5c"

	// RFC 9189, Appendix A.1.3.2.
	kegKuznyechik     = "7dac56e48a4dc170faa8fcbae20db845450cccc4c6328bdc8d01157cefa2a5f11f1cbad8866166f01ffaab0152e24bf4609d5f46a5c899c787900d08b9fcad24"
	wrappedKuznyechik = "250d1b67a270ab04d3f65418e1d380b4cb945f0a3dca51500cf3a1bef37f76c07341a9839ccf6cba7189da61eb67176c"

	// RFC 9189, Appendix A.1.1: the last records of each suite.
	treeRoot       = "00112233445566778899aabbcceeff0a112233445566778899aabbcceeff0a00"
	treeKuznyechik = "16180b24645400b836143837d86aac93952ae3eb8244d5ec2ab02cff30781138"
	treeMagma      = "2528c1c6a8f0927bf2be27bb78d27f2146d65593b0c7173a06cb9d88df923265"
)

func tree(masks kdf.Masks, seq uint64, want string) error {
	key := kdf.NewTLSTree(masks, unhex(treeRoot)).Key(seq)
	return equal(key[:], want)
}

// wraps tries both directions, and that a changed key is refused.
func wraps(c newCipher, keys, iv, wrapped string) error {
	mac, enc := unhex(keys)[:32], unhex(keys)[32:]
	got, err := keywrap.KExp15(c, mac, enc, unhex(iv), unhex(preMaster))
	if err != nil {
		return err
	}
	if err := equal(got, wrapped); err != nil {
		return err
	}
	secret, err := keywrap.KImp15(c, mac, enc, unhex(iv), got)
	if err != nil {
		return err
	}
	if err := equal(secret, preMaster); err != nil {
		return err
	}
	got[0] ^= 1
	if _, err := keywrap.KImp15(c, mac, enc, unhex(iv), got); err == nil {
		return errAccepted
	}
	return nil
}
