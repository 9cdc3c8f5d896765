package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// detached is how a process is started that has no console.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// leaveConsole closes the console window that Windows opened for this process alone, as
// at the beginning of a session; a console that somebody types into stays.
func leaveConsole() {
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	list, free := kernel.NewProc("GetConsoleProcessList"), kernel.NewProc("FreeConsole")
	if list.Find() != nil || free.Find() != nil {
		return
	}
	var processes [2]uint32
	if n, _, _ := list.Call(uintptr(unsafe.Pointer(&processes[0])), uintptr(len(processes))); n == 1 {
		_, _, _ = free.Call() // the window stays open, which harms nobody
	}
}

// openBrowser opens an address in the browser of the user.
func openBrowser(address string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	file, err := windows.UTF16PtrFromString(address)
	if err != nil {
		return err
	}
	return windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL)
}
