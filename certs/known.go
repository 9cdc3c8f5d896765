package certs

// KnownRoot is a root certificate that Минцифры России is known to use.
type KnownRoot struct {
	Name     string // common name
	SHA256   Pin
	SHA1     string // hexadecimal, as the published lists name it
	Validity string // first and last day
	Note     string
}

// KnownRoots returns the roots of the head certification authority of the
// Russian Federation that were in the list of accredited CAs of 2026-07-23,
// version 16314. The caller owns the slice.
//
// They serve as pins where none are given, so that a plain directory of
// certificates can be looked at. Compare them with the published certificates
// before relying on them: names are not unique, only the fingerprints tell the
// three «Минцифры России» apart.
func KnownRoots() []KnownRoot {
	return []KnownRoot{
		{
			"Головной удостоверяющий центр",
			mustPin("4e450e4971f2d77d22567b55ecc2162b3dfd0d2fa6a8da8a92cdcabc80489b59"),
			"8cae88bbfd404a7a53630864f9033606e1dc45e2", "2012-07-20…2027-07-17",
			"ГОСТ Р 34.10-2001, for archives",
		},
		{
			"Минкомсвязь России",
			mustPin("bae62b5b7bede326b06856fb67a2a471268f9f404e5b18fdf40261c3e63010b1"),
			"4bc6dc14d97010c41a26e058ad851f81c842415a", "2018-07-06…2036-07-01",
			"",
		},
		{
			"Минкомсвязь России",
			mustPin("d5a17174722fa9719fe3e82a2bc0b9fd834c158603194c45a395dc66e02cd891"),
			"aff05c9e2464941e7ec2ab15c91539360b79aa9d", "2021-07-02…2039-07-02",
			"",
		},
		{
			"Минцифры России",
			mustPin("4bb37cc7c0ff4bf2aa893e95076ebb3565c69237ee1b61635beee4c1966495c7"),
			"2f0cb09be3550ef17ec4f29c90abd18bfcaad63a", "2022-01-08…2040-01-08",
			"",
		},
		{
			"Минцифры России",
			mustPin("bdb075c0f81614c4edf1146ba7a5bef3d2e02980f22d1e9b03cf2afb7b675c23"),
			"9ec1a7dd438d8d647ac40976fc85c33f5d0fba2b", "2025-12-17…2043-12-17",
			"",
		},
		{
			"Минцифры России",
			mustPin("a2375989f1e52984eb138416012e1d302b44c2026290d45890640c739dd32aa8"),
			"2fdede3b528b3dd0cbad26d1628f40a5ab596f2f", "2026-02-02…2044-02-02",
			"",
		},
		{
			"ГУЦ ГС ПВДНП",
			mustPin("8c317e5350afe39ccf208e0cfda99364146961102a5218642f0223a257b98ac0"),
			"b8588333dc51e407a5b764eac52b2d6a3a9828a3", "2015-11-06…2025-11-03",
			"passports for foreign travel, not qualified certificates",
		},
	}
}

// knownPins returns the fingerprints of KnownRoots.
func knownPins() map[Pin]bool {
	pins := make(map[Pin]bool)
	for _, r := range KnownRoots() {
		pins[r.SHA256] = true
	}
	return pins
}

// mustPin is for constants of this package.
func mustPin(s string) Pin {
	p, err := ParsePin(s)
	if err != nil {
		panic("certs: " + err.Error())
	}
	return p
}
