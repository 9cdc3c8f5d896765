//go:build !amd64 || purego

package ifma

func available() bool { return false }

func gather(_, _ *lanes, _ *byte, _ uint64, _ *layout) { panic("ifma: not available") }

func scan8(_, _ *lanes, _ *byte, _ uint64, _ *layout) { panic("ifma: not available") }

func scan10(_, _ *lanes, _ *byte, _ uint64, _ *layout) { panic("ifma: not available") }

func scan20(_, _ *lanes, _ *byte, _ uint64, _ *layout) { panic("ifma: not available") }

func scan16(_, _ *lanes, _ *byte, _ uint64, _ *layout) { panic("ifma: not available") }

func permute(_, _ *lanes, _ int, _ *lanes) { panic("ifma: not available") }
