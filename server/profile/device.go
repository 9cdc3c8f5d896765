package profile

import "strings"

// maxDeviceName is how much is shown of what a browser calls itself if nobody knows it, in
// characters.
const maxDeviceName = 60

// browserNames and systemNames are parts of what browsers call themselves, with the names that
// people know. The first that is there counts: most browsers name others behind themselves.
func browserNames() [][2]string {
	return [][2]string{
		{"YaBrowser/", "Yandex Browser"}, {"Chromium GOST", "Chromium-Gost"}, {"Edg/", "Microsoft Edge"}, {"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"Trident/", "Internet Explorer"},
		{"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
}

func systemNames() [][2]string {
	return [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
}

// deviceName is what people call a browser by what it calls itself: "Firefox, Linux". It is
// for people to recognise, and proves nothing. What is not known is shown as it is, cut off.
func deviceName(agent string) string {
	find := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser, system := find(browserNames()), find(systemNames())
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	case browser != "":
		return browser
	}
	cut := []rune(agent)
	if len(cut) > maxDeviceName {
		return string(cut[:maxDeviceName]) + "…"
	}
	return agent
}
