package virtualcard

func (r *rutoken) personalise(o Options) error { return nil }
