package wire

import (
	"errors"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

// maxEarlyData is how many bytes of records are skipped that a client sent in the
// hope that they are read before the handshake is over. No ticket of ours allows it, so
// this only keeps the connections of clients that send something small unasked.
const maxEarlyData = 1 << 16

// earlyDataCost is what a record counts besides its bytes, so that empty ones are not
// free.
const earlyDataCost = 64

// Switch replaces the protection of TLS 1.3. No message may go on under other keys
// (RFC 8446, Section 5.1).
func (in *Input) Switch(next *record.Protector) error {
	if in.MidMessage() {
		return Refuse(AlertUnexpectedMessage, "handshake message across a change of keys")
	}
	if in.Protect != nil {
		in.Protect.Wipe()
	}
	in.Protect, in.earlyData = next, 0
	return nil
}

// SkipEarlyData makes records pass unread that are early data: those that the next keys
// do not open, or before there are keys all of application data (RFC 8446, Section
// 4.2.10). It ends with the first record that is something else.
func (in *Input) SkipEarlyData() { in.earlyData = maxEarlyData }

// isEarlyData reports whether a record is to be skipped, for the error that opening it
// gave.
func (in *Input) isEarlyData(typ RecordType, size int, err error) bool {
	cost := size + earlyDataCost
	if typ != TypeApplicationData || in.earlyData < cost || (err != nil && !errors.Is(err, record.ErrMAC)) {
		return false
	}
	in.earlyData -= cost
	return true
}

// NextIs reports whether the next handshake message has a type. The message stays.
func (in *Input) NextIs(typ message.Type) (bool, error) {
	for len(in.handshake) == 0 {
		if err := in.readHandshake(); err != nil {
			return false, err
		}
	}
	return message.Type(in.handshake[0]) == typ, nil
}

// ForgetHandshake starts the limit on handshake messages anew: a peer that sends
// application data may also send tickets and change keys, again and again.
func (in *Input) ForgetHandshake() { in.handshakeTotal = len(in.handshake) }

// Switch replaces the protection of TLS 1.3.
func (o *Output) Switch(next *record.Protector) {
	o.Lock()
	defer o.Unlock()
	if o.Protect != nil {
		o.Protect.Wipe()
	}
	o.Protect = next
}
