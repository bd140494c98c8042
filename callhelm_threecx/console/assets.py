"""Style sheet, script and icon, shipped in the package; their URLs change when they do."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import falcon

from callhelm_threecx.console import rendering
from callhelm_threecx.errors import NotFoundError
from callhelm_threecx.middleware.auth import KeyKind


class AssetResource:
    """Serves one file of the package, to anybody."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": (KeyKind.NONE,)}

    def on_get(self, _req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """The file. Raises `NotFoundError`."""
        try:
            resp.data, resp.content_type = rendering.asset(name)
        except FileNotFoundError:
            raise NotFoundError("There is no such file.") from None
        resp.set_header("Cache-Control", "public, max-age=31536000, immutable")
