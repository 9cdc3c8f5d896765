package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/journal"
)

// filler fills every field of a value with something else, so that a field that a store
// forgets is found.
type filler struct{ n int }

// fill fills what the pointer points to. A type that it does not know fails the test.
func (f *filler) fill(t *testing.T, pointer any) {
	t.Helper()
	f.value(t, reflect.ValueOf(pointer).Elem())
}

func (f *filler) value(t *testing.T, v reflect.Value) {
	t.Helper()
	f.n++
	if special := f.special(t, v.Type()); special != nil {
		v.Set(reflect.ValueOf(special))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("текст %d \"<&>\x00", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(f.n%4 + 1)) //nolint:gosec // small
	case reflect.Array, reflect.Struct:
		for i := range fields(v) {
			f.value(t, part(v, i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			f.value(t, v.Index(i))
		}
	default:
		t.Fatalf("a %s cannot be filled", v.Type())
	}
}

func fields(v reflect.Value) int {
	if v.Kind() == reflect.Array {
		return v.Len()
	}
	return v.NumField()
}

func part(v reflect.Value, i int) reflect.Value {
	if v.Kind() == reflect.Array {
		return v.Index(i)
	}
	return v.Field(i)
}

// special returns values of types that are not just their parts; nil for others.
func (f *filler) special(t *testing.T, of reflect.Type) any {
	text := fmt.Sprintf("личное %d", f.n)
	switch of {
	case reflect.TypeFor[time.Time]():
		return start.Add(time.Duration(f.n) * 1234567 * time.Microsecond)
	case reflect.TypeFor[person.Name]():
		return person.NewName(text)
	case reflect.TypeFor[person.Email]():
		return person.NewEmail(text)
	case reflect.TypeFor[person.Private]():
		return person.NewPrivate(text)
	case reflect.TypeFor[person.INN]():
		return INN(f.n)
	case reflect.TypeFor[person.INNLE]():
		return number(t, f.n, 9, 1, person.ParseINNLE)
	case reflect.TypeFor[person.OGRN]():
		return number(t, f.n, 12, 1, person.ParseOGRN)
	case reflect.TypeFor[person.OGRNIP]():
		return number(t, f.n, 14, 1, person.ParseOGRNIP)
	case reflect.TypeFor[person.SNILS]():
		return number(t, f.n, 9, 2, person.ParseSNILS)
	case reflect.TypeFor[journal.Event]():
		e := event(start.Add(time.Duration(f.n)*time.Second), "bound")
		e.Document, e.Digest, e.Order, e.Detail = person.NewPrivate(text), "aa", "1", "x"
		e.Conclusion, e.Reason, e.Client, e.Engine = "total-passed", "certificate-expired", "c", "propusk"
		e.Address, e.Device, e.Certificate = person.NewPrivate("::1"), person.NewPrivate("ЭВМ"), [32]byte{1}
		e.Subject = "s"
		return e
	}
	return nil
}

// number returns the number n with so many digits and the check digits that it has.
func number[T any](t *testing.T, n, digits, check int, parse func(string) (T, error)) T {
	t.Helper()
	front := fmt.Sprintf("5%0*d", digits-1, n)
	for last := range 100 {
		if v, err := parse(front + fmt.Sprintf("%0*d", check, last)); err == nil {
			return v
		}
	}
	var none T
	t.Errorf("the number %d has no check digits", n)
	return none
}

// INN returns an ИНН for every number from 0 to 999,999,999: another one for another number.
func INN(n int) person.INN {
	front := fmt.Sprintf("5%09d", n)
	for last := range 100 {
		if inn, err := person.ParseINN(front + fmt.Sprintf("%02d", last)); err == nil {
			return inn
		}
	}
	panic("storetest: every ten digits have check digits")
}
