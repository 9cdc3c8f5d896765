package tokens

// ServeIfChild is the first thing that main of a program that calls [Open] must call,
// and TestMain of its tests: [Open] runs the program again to have libraries in a
// process of their own. It returns at once in any other process, and never in such a
// one.
func ServeIfChild() {}
