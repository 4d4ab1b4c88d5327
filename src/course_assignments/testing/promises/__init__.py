"""What a repository promises, one theme a file and one test a sentence."""
