"""What providers hand over: hostile files refused in words, good ones taken, uploads that break off and go on."""
