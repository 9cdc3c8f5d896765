package selftest

import (
	"crypto/cipher"
	"encoding/hex"

	"propusk/gost/gost28147"
	"propusk/gost/kdf"
	"propusk/gost/keywrap"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/mgm"
	"propusk/gost/modes"
)

// advanced are the modes of operation that are made of others, and what belongs to
// GOST 28147-89.
var advanced = []check{
	{"Kuznyechik MGM", func() error {
		return seals(kuznyechik.New, kuznyechikKey, "1122334455667700ffeeddccbbaa9988", kuznyechikData, kuznyechikPlain+"aabbcc", kuznyechikSealed)
	}},
	{"Magma MGM", func() error {
		return seals(magma.New, magmaKey, "12def06b3c130a59", magmaData, magmaText, magmaSealed)
	}},
	{"Kuznyechik OMAC-ACPKM", func() error {
		return sections(kuznyechik.New, 32, 96, acpkmMessage, "fbb8dcee45bea67c35f58c5700898e5d")
	}},
	{"Magma OMAC-ACPKM", func() error {
		return sections(magma.New, 16, 80, acpkmMessage[:80], "34008dad5496bb8e")
	}},
	{"GOST 28147-89 CNT", cnt},
	{"GOST 28147-89 IMIT", imit},
	{"GOST 28147-89 diversification", func() error {
		key := gost28147.Diversify(gost28147.TC26Z(), unhex(sharedKey), unhex(wrapped28147)[:gost28147.BlockSize])
		return equal(key[:], diversified)
	}},
	{"KExp28147", wraps28147},
	{"TLSTREE, Kuznyechik in TLS 1.3", func() error { return tree13(kdf.KuznyechikMGMS, 8, serverKuznyechik, leafKuznyechik) }},
	{"TLSTREE, Magma in TLS 1.3", func() error { return tree13(kdf.MagmaMGML, 128, serverMagma, leafMagma) }},
}

const (
	// RFC 9058, Appendix A.1.1 and A.2.1; the plain text of the first is that of GOST R
	// 34.13-2015 and three bytes more.
	kuznyechikData   = "0202020202020202010101010101010104040404040404040303030303030303ea0505050505050505"
	kuznyechikSealed = "a9757b8147956e9055b8a33de89f42fc8075d2212bf9fd5bd3f7069aadc16b39497ab15915a6ba85936b5d0ea9f6851cc60c14d4d3f883d0ab94420695c76deb2c7552cf5d656f40c34f5c46e8bb0e29fcdb4c"
	magmaData        = "01010101010101010202020202020202030303030303030304040404040404040505050505050505ea"
	magmaText        = "ffeeddccbbaa998811223344556677008899aabbcceeff0a001122334455667799aabbcceeff0a001122334455667788aabbcceeff0a00112233445566778899aabbcc"
	magmaSealed      = "c795066c5f9ea03b85113342459185ae1f2e00d6bf2b785d940470b8bb9c8e7d9a5dd3731f7ddc70ec27cb0ace6fa57670f65c646abb75d547aa37c3bcb5c34e03bb9ca7928069aa10fd10"

	// R 1323565.1.017-2018, Appendix A.4.2; Magma takes the first 40 bytes.
	acpkmMessage = kuznyechikPlain + "33445566778899aabbcceeff0a001122"

	// RFC 9189, Appendix A.2.1, records 0 and 1.
	cntBegin   = "8671cdbf3c1aae0f624b04"
	cntEnd     = "881fad834596968447"
	imitFirst  = "300134a1"
	imitSecond = "f7c38b8a"

	// RFC 9189, Appendix A.2.2: K_EXP, what it becomes, PMSEXP and PMS.
	sharedKey    = "3fd999d1684a15cc9bdd5a35067af69817150022e09554ac791a60f161f55349"
	diversified  = "6f8c688cad30b8d72e1700ec4e4e7dafec0e0c97cd72f3e8cbe36dd5d295edeb"
	wrapped28147 = "fbf39d10e800af70d622d167a5642e29525a295cb9f28f96f28b0efaa7d3a2bee149b01178c2dfd54c933657"
	secret28147  = "ce0dd6b6704212152be4695a7e89f64c8929a40dbf0a5a55c2ce002b06bab62f"

	// RFC 9367, Appendix A: server_write_key_ap, and the key of record 8 or 128.
	serverKuznyechik = "475e4c514cc6318c3a5f000f1265bd1ab5f0de1af357ed0079ec5ff0afbd030c"
	leafKuznyechik   = "d3cd87d5687407823978344c06b928a85898b739a31d3de5ff2b788ef39196ed"
	serverMagma      = "15d92c5147b21310ededf55b3d7ab776817d6fe2fcf230d7e3f29275f6e241ec"
	leafMagma        = "93d5d6e1036fdfb3efbf31e6da5eece685171c977ff9cd6c3a3f67c0224ab6eb"
)

// seals tries both directions, and that a changed message is refused.
func seals(c newCipher, key, nonce, data, plain, sealed string) error {
	b, err := c(unhex(key))
	if err != nil {
		return err
	}
	a, err := mgm.New(b)
	if err != nil {
		return err
	}
	got := a.Seal(nil, unhex(nonce), unhex(plain), unhex(data))
	if err := equal(got, sealed); err != nil {
		return err
	}
	opened, err := a.Open(nil, unhex(nonce), got, unhex(data))
	if err != nil {
		return err
	}
	if err := equal(opened, plain); err != nil {
		return err
	}
	got[0] ^= 1
	if _, err := a.Open(nil, unhex(nonce), got, unhex(data)); err == nil {
		return errAccepted
	}
	return nil
}

func sections(c newCipher, section, frequency int, message, want string) error {
	m, err := modes.NewOMACACPKM(c, unhex(kuznyechikKey), section, frequency)
	if err != nil {
		return err
	}
	return hashes(m, message, want)
}

// cnt makes the key stream of two records with zeros in them, but for their codes: the
// key changes twice.
func cnt() error {
	s, err := gost28147.NewCNT(make([]byte, gost28147.KeySize), make([]byte, gost28147.BlockSize), gost28147.TC26Z(), gost28147.MeshingCryptoPro)
	if err != nil {
		return err
	}
	return cntRecords(s, cntBegin, cntEnd)
}

func cntRecords(s cipher.Stream, begin, end string) error {
	first := append(make([]byte, 7), unhex(imitFirst)...)
	second := append(make([]byte, 2048), unhex(imitSecond)...)
	s.XORKeyStream(first, first)
	s.XORKeyStream(second, second)
	if err := equal(first, begin); err != nil {
		return err
	}
	return equal(second[len(second)-len(end)/2:], end)
}

// imit makes the codes of the same records.
func imit() error {
	key := make([]byte, gost28147.KeySize)
	for i := range key {
		key[i] = 0xff
	}
	m, err := gost28147.NewIMIT(key, nil, gost28147.TC26Z(), gost28147.MeshingCryptoPro, gost28147.MACSize)
	if err != nil {
		return err
	}
	if err := hashes(m, "00000000000000001703030007"+"00000000000000", imitFirst); err != nil {
		return err
	}
	return hashes(m, "00000000000000011703030800"+hex.EncodeToString(make([]byte, 2048)), imitSecond)
}

// wraps28147 tries both directions, and that a changed key is refused.
func wraps28147() error {
	key, iv := unhex(diversified), unhex(wrapped28147)[:keywrap.IVSize28147]
	got, err := keywrap.KExp28147(key, iv, unhex(secret28147))
	if err != nil {
		return err
	}
	if err := equal(got, wrapped28147); err != nil {
		return err
	}
	secret, err := keywrap.KImp28147(key, iv, got)
	if err != nil {
		return err
	}
	if err := equal(secret, secret28147); err != nil {
		return err
	}
	got[len(got)-1] ^= 1
	if _, err := keywrap.KImp28147(key, iv, got); err == nil {
		return errAccepted
	}
	return nil
}

func tree13(masks kdf.Masks, seq uint64, root, want string) error {
	key := kdf.NewTLSTree(masks, unhex(root)).Key(seq)
	return equal(key[:], want)
}
