"""Living inside other people's applications."""
