package agent

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	tableOwnerPIDAll = 5       // TCP_TABLE_OWNER_PID_ALL
	maxTable         = 8 << 20 // bytes
	rowSize          = 24      // MIB_TCPROW_OWNER_PID: state, local, port, remote, port, process
)

// sameUser asks Windows which process has the client end of a connection, and compares
// its user with ours. A process of somebody else cannot even be opened, which is an
// error, and so a no. On a terminal server all sessions share 127.0.0.1.
func sameUser(client, server netip.AddrPort) (bool, error) {
	table, err := connections()
	if err != nil {
		return false, err
	}
	for ; len(table) >= rowSize; table = table[rowSize:] {
		if rowAddress(table[4:]) == client && rowAddress(table[12:]) == server {
			return ownProcess(binary.LittleEndian.Uint32(table[20:]))
		}
	}
	return false, nil
}

// rowAddress reads an address and a port, both in network order.
func rowAddress(row []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(row[:4])), binary.BigEndian.Uint16(row[4:]))
}

// connections returns the rows of GetExtendedTcpTable for IPv4.
func connections() ([]byte, error) {
	get := windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")
	if err := get.Find(); err != nil {
		return nil, err
	}
	size := uint32(64 << 10)
	for size <= maxTable {
		buffer := make([]byte, size)
		status, _, _ := get.Call(uintptr(unsafe.Pointer(&buffer[0])), uintptr(unsafe.Pointer(&size)), 0, windows.AF_INET, tableOwnerPIDAll, 0)
		switch syscall.Errno(status) {
		case windows.ERROR_SUCCESS:
			rows := int(binary.LittleEndian.Uint32(buffer))
			if rows > (len(buffer)-4)/rowSize {
				return nil, errors.New("GetExtendedTcpTable: more rows than bytes")
			}
			return buffer[4 : 4+rows*rowSize], nil
		case windows.ERROR_INSUFFICIENT_BUFFER:
			size += size / 2 // it grows while we look
		default:
			return nil, syscall.Errno(status)
		}
	}
	return nil, errors.New("GetExtendedTcpTable: the table is too long")
}

// ownProcess reports whether a process runs as the same user.
func ownProcess(pid uint32) (bool, error) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return false, err
	}
	defer windows.CloseHandle(process) //nolint:errcheck // it was only read
	var token windows.Token
	if err := windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token); err != nil {
		return false, err
	}
	defer token.Close() //nolint:errcheck // it was only read
	theirs, err := token.GetTokenUser()
	if err != nil {
		return false, err
	}
	ours, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return false, err
	}
	return theirs.User.Sid.Equals(ours.User.Sid), nil
}
