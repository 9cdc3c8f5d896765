package streebog

import ("testing";"fmt")

func TestX(t *testing.T){
 fmt.Printf("%x\n%x\n", Sum256(nil), Sum512([]byte{}))
}
func BenchmarkSum256(b *testing.B){ for _,n:=range []int{64,1024,16384}{ b.Run(fmt.Sprint(n),func(b *testing.B){ p:=make([]byte,n); b.SetBytes(int64(n)); for b.Loop(){Sum256(p)}})}}
