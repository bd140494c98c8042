"""``python -m contrib.callhelm_host`` (or, from ``contrib``, ``python -m callhelm_host``)."""

import sys

from .serve import main

if __name__ == "__main__":
    sys.exit(main())
