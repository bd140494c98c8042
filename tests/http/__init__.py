"""The HTTP interface, sentence by sentence, on each database."""
