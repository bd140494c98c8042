"""A process that counts hits against a shared limit as fast as it can, once it is told to.

Run as a program with a storage, a limit and a number of hits: prints how many were allowed.
"""

import sys

from callhelm_threecx.limiter import Limiter, limit_of


def main(storage: str, limit: str, hits: int) -> None:
    limiter = Limiter(storage)
    sys.stdin.readline()
    allowed = [limiter.hit(limit_of(limit), "org", "acme").allowed for _ in range(hits)]
    print(sum(allowed), limiter.fallbacks)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
