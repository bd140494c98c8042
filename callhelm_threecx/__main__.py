"""``python -m callhelm_threecx``: the command line, wherever its script is not on the path."""

from callhelm_threecx.cli import main

if __name__ == "__main__":
    main()
