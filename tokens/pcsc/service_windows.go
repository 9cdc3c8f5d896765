package pcsc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"

	"propusk/pki/reason"
	"propusk/tokens/internal/iso7816"
)

// supported is nil: every Windows has winscard.
func supported() error { return nil }

// Functions of winscard.dll, from the directory of the system.
var (
	winscard           = windows.NewLazySystemDLL("winscard.dll")
	scEstablishContext = winscard.NewProc("SCardEstablishContext")
	scReleaseContext   = winscard.NewProc("SCardReleaseContext")
	scListReaders      = winscard.NewProc("SCardListReadersW")
	scGetStatusChange  = winscard.NewProc("SCardGetStatusChangeW")
	scCancel           = winscard.NewProc("SCardCancel")
	scConnect          = winscard.NewProc("SCardConnectW")
	scDisconnect       = winscard.NewProc("SCardDisconnect")
	scBeginTransaction = winscard.NewProc("SCardBeginTransaction")
	scEndTransaction   = winscard.NewProc("SCardEndTransaction")
	scTransmit         = winscard.NewProc("SCardTransmit")
)

// code is what winscard returns.
type code uint32

// Codes that are told apart.
const (
	errNoReaders         code = 0x8010002E // SCARD_E_NO_READERS_AVAILABLE
	errNoService         code = 0x8010001D // SCARD_E_NO_SERVICE
	errServiceStopped    code = 0x8010001E // SCARD_E_SERVICE_STOPPED
	errSharing           code = 0x8010000B // SCARD_E_SHARING_VIOLATION
	errNoCard            code = 0x8010000C // SCARD_E_NO_SMARTCARD
	errUnknownReader     code = 0x80100009 // SCARD_E_UNKNOWN_READER
	errTimeout           code = 0x8010000A // SCARD_E_TIMEOUT
	errReaderUnavailable code = 0x80100017 // SCARD_E_READER_UNAVAILABLE
	errUnresponsive      code = 0x80100066 // SCARD_W_UNRESPONSIVE_CARD
	errUnpowered         code = 0x80100067 // SCARD_W_UNPOWERED_CARD
	errReset             code = 0x80100068 // SCARD_W_RESET_CARD
	errRemoved           code = 0x80100069 // SCARD_W_REMOVED_CARD
)

// Error names the code by its number; Microsoft has the names.
func (c code) Error() string { return fmt.Sprintf("winscard: error %08X", uint32(c)) }

// call calls a function. What pointers are made of stays where it is until it returns.
//
//go:uintptrescapes
func call(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return errNoService
	}
	if rv, _, _ := p.Call(args...); rv != 0 { // the code is the answer
		return code(rv)
	}
	return nil
}

// said gives an error its code of the catalogue.
func said(err error) error {
	c, ok := errors.AsType[code](err)
	if !ok {
		return err
	}
	switch c {
	case errNoService, errServiceStopped:
		return reason.New(reason.ReaderServiceAbsent, err)
	case errSharing:
		return reason.New(reason.CardBusy, err)
	case errNoCard, errRemoved, errReset, errReaderUnavailable:
		return reason.New(reason.TokenRemoved, err)
	case errUnpowered, errUnresponsive:
		return reason.New(reason.CardMute, err)
	case errUnknownReader:
		return reason.New(reason.ReaderAbsent, err)
	default:
		return reason.New(reason.TokenFailed, err)
	}
}

// readerState is SCARD_READERSTATEW.
type readerState struct {
	name           *uint16
	user           uintptr
	current, event uint32
	atrSize        uint32
	atr            [36]byte
}

// Bits of the states.
const (
	stateUnknown     = 0x0004
	stateUnavailable = 0x0008
	statePresent     = 0x0020
	stateExclusive   = 0x0080
	stateInUse       = 0x0100
	stateMute        = 0x0200
)

// pnp is the reader that changes when readers come and go.
const pnp = `\\?PnP?\Notification`

// winService is winscard.
type winService struct {
	ctx    context.Context
	handle uintptr
	stop   func() bool
	states []readerState // as they were told last
}

func dial(ctx context.Context) (service, error) {
	const scopeUser = 0
	s := &winService{ctx: ctx}
	if err := call(scEstablishContext, scopeUser, 0, 0, uintptr(unsafe.Pointer(&s.handle))); err != nil {
		return nil, said(err)
	}
	handle := s.handle
	s.stop = context.AfterFunc(ctx, func() { _ = call(scCancel, handle) }) // what waits sees the context
	return s, nil
}

func (s *winService) close() {
	s.stop()
	_ = call(scReleaseContext, s.handle) // nothing is lost
}

// names returns the names of the readers.
func (s *winService) names() ([]string, error) {
	const most = 64 << 10
	buffer := make([]uint16, most)
	size := uint32(len(buffer))
	err := call(scListReaders, s.handle, 0, uintptr(unsafe.Pointer(&buffer[0])), uintptr(unsafe.Pointer(&size)))
	if errors.Is(err, errNoReaders) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []string
	for rest := buffer[:min(int(size), most)]; ; {
		i := slices.Index(rest, 0)
		if i <= 0 {
			return all, nil
		}
		all = append(all, windows.UTF16ToString(rest[:i]))
		rest = rest[i+1:]
	}
}

func (s *winService) readers() ([]Reader, error) {
	names, err := s.names()
	if err != nil {
		return nil, said(err)
	}
	s.states = s.states[:0]
	for _, name := range append([]string{pnp}, names...) {
		p, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return nil, reason.New(reason.TokenFailed, err)
		}
		s.states = append(s.states, readerState{name: p})
	}
	s.states[0].current = uint32(len(names)) << 16 // the number that are known
	if err := s.change(0); err != nil && !errors.Is(err, errTimeout) {
		return nil, said(err)
	}
	all := make([]Reader, 0, len(names))
	for i := range names {
		st := &s.states[i+1]
		st.current = st.event
		if st.event&(stateUnknown|stateUnavailable) != 0 {
			continue
		}
		r := Reader{Name: names[i], Present: st.event&statePresent != 0, events: st.event >> 16}
		r.Mute = r.Present && st.event&stateMute != 0
		r.InUse = r.Present && st.event&(stateInUse|stateExclusive) != 0
		if n := int(st.atrSize); r.Present && n > 0 && n <= len(st.atr) {
			r.ATR = slices.Clone(st.atr[:n])
		}
		all = append(all, r)
	}
	return all, nil
}

// change waits for a change of the states for some milliseconds.
func (s *winService) change(timeout uint32) error {
	return call(scGetStatusChange, s.handle, uintptr(timeout), uintptr(unsafe.Pointer(&s.states[0])), uintptr(len(s.states)))
}

func (s *winService) wait() error {
	// A cancellation that comes before the call is lost: so it waits a while at a time.
	const while = 1000
	for {
		err := s.change(while)
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		if !errors.Is(err, errTimeout) {
			return said(err)
		}
	}
}

// Dispositions and modes.
const (
	shareShared = 2
	protocols   = 3
	leaveCard   = 0
)

func (s *winService) connect(reader string) (card, error) {
	name, err := windows.UTF16PtrFromString(reader)
	if err != nil {
		return nil, reason.New(reason.ReaderAbsent, err)
	}
	k := &winCard{}
	err = call(scConnect, s.handle, uintptr(unsafe.Pointer(name)), shareShared, protocols,
		uintptr(unsafe.Pointer(&k.handle)), uintptr(unsafe.Pointer(&k.protocol)))
	if err != nil {
		return nil, said(err)
	}
	if err := call(scBeginTransaction, k.handle); err != nil {
		return nil, said(errors.Join(err, call(scDisconnect, k.handle, leaveCard)))
	}
	return k, nil
}

// winCard is a card that winscard reaches.
type winCard struct {
	handle   uintptr
	protocol uint32
}

// Close lets go of the card.
func (k *winCard) Close() error {
	err := call(scEndTransaction, k.handle, leaveCard)
	return said(errors.Join(err, call(scDisconnect, k.handle, leaveCard)))
}

// Transmit sends a command and returns the response.
func (k *winCard) Transmit(apdu []byte) ([]byte, error) {
	pci := struct{ protocol, length uint32 }{k.protocol, 8}
	response := make([]byte, iso7816.MaxResponse)
	size := uint32(len(response))
	err := call(scTransmit, k.handle, uintptr(unsafe.Pointer(&pci)), uintptr(unsafe.Pointer(&apdu[0])), uintptr(len(apdu)), 0,
		uintptr(unsafe.Pointer(&response[0])), uintptr(unsafe.Pointer(&size)))
	if err != nil {
		return nil, said(err)
	}
	return response[:size], nil
}
