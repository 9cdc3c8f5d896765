package main

func streebog() string { return "" }
