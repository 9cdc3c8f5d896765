//go:build unix && !darwin

package pcsc

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"syscall"

	"propusk/pki/reason"
	"propusk/tokens/internal/pcsclite"
)

// supported is nil: there is pcscd for every Unix, and macOS has something else.
func supported() error { return nil }

// lite is pcscd.
type lite struct{ client *pcsclite.Client }

func dial(ctx context.Context) (service, error) {
	client, err := pcsclite.Dial(ctx, pcsclite.Socket())
	if err != nil {
		return nil, said(err)
	}
	return lite{client}, nil
}

// said gives an error its code.
func said(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, pcsclite.ErrSharing):
		return reason.New(reason.CardBusy, err)
	case errors.Is(err, pcsclite.ErrNoCard), errors.Is(err, pcsclite.ErrRemoved), errors.Is(err, pcsclite.ErrUnavailable),
		errors.Is(err, pcsclite.ErrReset), errors.Is(err, pcsclite.ErrNotTransacted):
		return reason.New(reason.TokenRemoved, err)
	case errors.Is(err, pcsclite.ErrUnpowered), errors.Is(err, pcsclite.ErrUnresponsive):
		return reason.New(reason.CardMute, err)
	case errors.Is(err, pcsclite.ErrUnknownReader):
		return reason.New(reason.ReaderAbsent, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrPermission),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, pcsclite.ErrServiceStopped):
		return reason.New(reason.ReaderServiceAbsent, err)
	default:
		return reason.New(reason.TokenFailed, err)
	}
}

func (l lite) readers() ([]Reader, error) {
	found, err := l.client.Register()
	if err != nil {
		return nil, said(err)
	}
	all := make([]Reader, 0, len(found))
	for _, r := range found {
		all = append(all, Reader{Name: r.Name, Present: r.Present, Mute: r.Mute, InUse: r.InUse, ATR: r.ATR, events: r.Events})
	}
	return all, nil
}

func (l lite) wait() error { return said(l.client.Wait()) }
func (l lite) close()      { _ = l.client.Close() } // nothing is lost

func (l lite) connect(reader string) (card, error) {
	// What was registered for events must not answer among what the card does.
	if err := l.client.Unregister(); err != nil {
		return nil, said(err)
	}
	k, err := l.client.Connect(reader)
	if err != nil {
		return nil, said(err)
	}
	return liteCard{k}, nil
}

// liteCard is a card that pcscd reaches.
type liteCard struct{ *pcsclite.Card }

func (k liteCard) Transmit(apdu []byte) ([]byte, error) {
	response, err := k.Card.Transmit(apdu)
	return response, said(err)
}
