package selftest

import (
	"errors"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/gost/vko"
)

// errAccepted means that something forged passed.
var errAccepted = errors.New("what was changed was accepted")

// signatures are GOST R 34.10-2012 on all seven curves.
var signatures = []check{
	{"GOST R 34.10-2012, CryptoPro-A", func() error { return signs(gost3410.CryptoProA(), keyCryptoProA, signatureCryptoProA) }},
	{"GOST R 34.10-2012, CryptoPro-B", func() error { return signs(gost3410.CryptoProB(), keyCryptoProB, signatureCryptoProB) }},
	{"GOST R 34.10-2012, CryptoPro-C", func() error { return signs(gost3410.CryptoProC(), keyCryptoProC, signatureCryptoProC) }},
	{"GOST R 34.10-2012, tc26-256-A", func() error { return signs(gost3410.TC26256A(), keyTC26256A, signatureTC26256A) }},
	{"GOST R 34.10-2012, tc26-512-A", func() error { return signs(gost3410.TC26512A(), keyTC26512A, signatureTC26512A) }},
	{"GOST R 34.10-2012, tc26-512-B", func() error { return signs(gost3410.TC26512B(), keyTC26512B, signatureTC26512B) }},
	{"GOST R 34.10-2012, tc26-512-C", func() error { return signs(gost3410.TC26512C(), keyTC26512C, signatureTC26512C) }},
}

// agreement are the functions that two keys make a secret with.
var agreement = []check{
	{"VKO-256", func() error { return agrees(vko.VKO256, gost3410.TC26512A(), vkoPrivate, vkoPublic, vkoUKM, vko256) }},
	{"VKO-512", func() error { return agrees(vko.VKO512, gost3410.TC26512A(), vkoPrivate, vkoPublic, vkoUKM, vko512) }},
	{"KEG-256", func() error {
		return agrees(vko.KEG, gost3410.CryptoProA(), kegPrivate256, kegPublic256, kegHash, kegMagma)
	}},
	{"KEG-512", func() error {
		return agrees(vko.KEG, gost3410.TC26512C(), kegPrivate512, kegPublic512, kegHash, kegKuznyechik)
	}},
}

// signedMessage is what the signatures below sign, with the Streebog of the size of
// the key. Keys and signatures were made with OpenSSL 3.0 and gost-engine 3.0.1.
const signedMessage = "propusk"

const (
	keyCryptoProA       = "31543d0da5275bd0934247872274f386c6d94a37c788426916e85bfab7596477c657a90dc784cb95caa315dccf9916873a8cbb6b64218e36170aab8291d9cb65"
	signatureCryptoProA = "5aa61bfbf37f135cfe33b4a92ccf6aa46913363cc895e000cba7d62be422e554c1700cc32911e3c65932add0cd46895e7b4cd0117957d50c1bc8ae32d876dd16"

	keyCryptoProB       = "087582db0fadc7e224ad3ea5e199e65d35292b66e70178905b18d3bada096878ce65b6f2b9ddef312ae289dd85a14edcd62b320ee6e540ca7b8c753a0996c321"
	signatureCryptoProB = "292aeaba1bd4cba7752b351614b8f26c25f817d43acada2b2ae982702291bb594ef80677c93f9904e12c9e90d6885061f4eb48f627c7568ee1d33205bee93727"

	keyCryptoProC       = "5221cf21e46a4b5c97b1983171494a8038353cc49ce15048d75e4dae85de0074ad65cfda2e9c1621babd3974752e6e5e712bd554817cb09174615f37d9152d32"
	signatureCryptoProC = "0c00372b22608704f73d43042dd2c9b7250e42bc4490c51dbab540fcaf73e7636f571524fff04cbe0cf40a6f0c94e980ca38c05836665af24c152a73345423c4"

	keyTC26256A       = "900fdce24de2377f583d2989c2e47e42169a4de009120c68583fbc02990c821b0cb63dd7d3d1d0fae0c618c783a1921af93516f1950f902444cf5200cbaa544a"
	signatureTC26256A = "062134d206ec593c34d5c28c41a58420ab0a6ce609581acc67b8d0028a3c22f22a9d89ec9528d2f1fbc87ff0297f89d2a908e7fd928c0af90e2cd97f81af79f2"

	keyTC26512A       = "8d0ae377d444ed0f3917b0163d572d29f6fef70dada2af38dfc1948596f42805ddccf9538b6746f58925cde8a563a6757a6ca51d9091b6ac7b2f9e965e534a91d0143df1d8fd636c9390430455b623bbdf5939599fb30f227dea783bbd9b4eb6b2d81323b529c9fdac04d9406b5ab8c1be5bf25ff144a80f5438ba9d2862a95b"
	signatureTC26512A = "80dffcf92c0f9977aae1605feafabfe5b082269d61f3ad6194fbd7fb42d9c994dc3258519ab74df0456e9a66e3b459773983cb634b7b45a8e0c5753708bab50c285f75229fcea662fb2b8bcaad8c35ca9f5d36b57208651bcc3f811136ba50e70b80ad471ba9043999192212b3277820fc3d63b159e3e1cd6d4cd60145c2c347"

	keyTC26512B       = "32e558e8bf7b45b457d5c54b97b4f7d7524bd03dfd2c0e0942d529336a8871fdfd61a6f04999d357e06e38747393c1ae75c8964e21ba07eb46be1d37a101f202131c2ef8602d0e7bcbd92fd24205dd73b48d6585862d12d722cfb13c7fa7e8b00ba40ecde0f9f7d1494d2fea33ba434ee246cfd533d4370c7bb9ccc3ce398751"
	signatureTC26512B = "23c1b3db03df53b96c859322b779e01404be6af9606f3cfd4976e925d48990c1a51303aa24f13f6557f5e7bfcf85579dfe0cc7d38a9c9d7d75c264f2bcd24bc14362d091844b7277e00bf29dc763a1e20659ec3e52a3a4a2b6f3cc94fa1e933d58bb3f376571ccfd2f6addbc32af910c0806de04c9101c8001a8b2d20140dcd4"

	keyTC26512C       = "807bba0349b159ed6be98682d370de5381cbe3d1af56bdc88ed5e1271948b965fdd7360d87c3307ace2f57bfca2ba41d2962f16f580916f1171793862a6b61e3ae6602d194597aea571bf45d8b181c24960b29fca7db5b86e9522f465156ee74b8b3c3b6375bd2eb0585b3476cb6970f543eb1bcceeab530ab07496313b43e8e"
	signatureTC26512C = "232e9b823de10337379de9ecf291ad1c6cf386bc5d05cb8e75384b8e121e677733a365d2fed523f408c2917f68485c6b2b55e02fbd76b89b1ff100f3ede60c6622fff79b7f46773046f588304b2df2c70ba0b17586addbe4b08e1e184a681b58cba2736d18aaaad8140a1d01c437973d0fcc50ab13fca38c88e29cbd234ef144"

	// RFC 7836, Appendix B, examples 7 and 8.
	vkoPrivate = "c990ecd972fce84ec4db022778f50fcac726f46708384b8d458304962d7147f8c2db41cef22c90b102f2968404f9b9be6d47c79692d81826b32b8daca43cb667"
	vkoPublic  = "192fe183b9713a077253c72c8735de2ea42a3dbc66ea317838b65fa32523cd5efca974eda7c863f4954d1147f1f2b25c395fce1c129175e876d132e94ed5a65104883b414c9b592ec4dc84826f07d0b6d9006dda176ce48c391e3f97d102e03bb598bf132a228a45f7201aba08fc524a2d77e43a362ab022ad4028f75bde3b79"
	vkoUKM     = "1d80603c8544c727"
	vko256     = "c9a9a77320e2cc559ed72dce6f47e2192ccea95fa648670582c054c0ef36c221"
	vko512     = "79f002a96940ce7bde3259a52e015297adaad84597a0d205b50e3e1719f97bfa7ee1d2661fa9979a5aa235b558a7e6d9f88f982dd63fc35a8ec0dd5e242d3bdf"

	// RFC 9189, Appendix A.1.3.1 and A.1.3.2, in little-endian: the ephemeral key of
	// the client and the key of the server. The results are kegMagma, kegKuznyechik.
	kegHash       = "c3ef0428d4b7a1f4c5025f2e65dd2b2ea583aeefdb67c7f4214a6a298e99e325"
	kegPrivate256 = "1e6c5ea2e8c906b7b809072cff931447787fce3cf7a6e46ce13d3782747cc7a5"
	kegPublic256  = "6781bfe0608c1466739bc4d510bffa820207263b2994fb9dfc5b652ea7d43165b8a553b5773e36d46cc266c2ffb470825027e726786fa6c47f915ddc71ccf837"
	kegPrivate512 = "31486e5af98ca42292689d8417ea267e4b2f87ebf7fcb020e192301dd0a03adcfab15b17e36e82bcaa3645a2dc297e6b63dca2a78f4118ad95d66db611cd0a15"
	kegPublic512  = "3a83eb1df1b839fde4d25bb352272dc210337e7c0d9f234e9b3c7067b206977a24973e13c3f69fcd47f48b280aa3e69280f53f9b666365c672d99a47da8945f1eaf4117a58be6ab1eb67d5b3e3e178bde62b611da0a70141cb1c5e6ae6dff299f213043bb5dddfb1042c3a7f72957cfc0bb30ab29f05a1604e2d50365be905f3"
)

// signs verifies a signature of gost-engine, and one of its own by a new key; both
// must stop being valid when the digest changes.
func signs(c *gost3410.Curve, key, signature string) error {
	theirs, err := gost3410.NewPublicKey(c, unhex(key))
	if err != nil {
		return err
	}
	sum := digest(c)
	if err := verifies(theirs, sum, unhex(signature)); err != nil {
		return err
	}
	ours, err := gost3410.GenerateKey(c, nil)
	if err != nil {
		return err
	}
	own, err := ours.Sign(nil, sum, nil)
	if err != nil {
		return err
	}
	return verifies(ours.PublicKey(), sum, own)
}

func verifies(key *gost3410.PublicKey, sum, signature []byte) error {
	if !key.Verify(sum, signature) {
		return errors.New("valid signature was refused")
	}
	changed := append([]byte{sum[0] ^ 1}, sum[1:]...)
	if key.Verify(changed, signature) {
		return errAccepted
	}
	return nil
}

// digest returns the digest of signedMessage that the curve wants.
func digest(c *gost3410.Curve) []byte {
	if c.Size() == streebog.Size512 {
		sum := streebog.Sum512([]byte(signedMessage))
		return sum[:]
	}
	sum := streebog.Sum256([]byte(signedMessage))
	return sum[:]
}

// agrees makes a secret of a private key, a public key and a UKM or hash.
func agrees(f func(vko.Agreement, *gost3410.PublicKey, []byte) ([]byte, error), c *gost3410.Curve, private, public, in, want string) error {
	key, err := gost3410.NewPrivateKey(c, unhex(private))
	if err != nil {
		return err
	}
	peer, err := gost3410.NewPublicKey(c, unhex(public))
	if err != nil {
		return err
	}
	got, err := f(key, peer, unhex(in))
	if err != nil {
		return err
	}
	return equal(got, want)
}
