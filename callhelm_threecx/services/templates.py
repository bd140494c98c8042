"""The XML template of an organization."""

import re
from typing import Final

from callhelm_threecx.services.integrations import Integration, Integrations
from callhelm_threecx.template.builder import render_template

_UNPRINTABLE: Final = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")


def template_of(
    integrations: Integrations, integration: Integration, base_url: str, prefix: str
) -> str:
    """The template with the organization's URL and current key, its features as they are set.

    Control characters in the organization's name, which XML cannot hold, are left out.

    Raises `keys.UndecipherableError` when no configured secret key decrypts the stored key.
    """
    return render_template(
        base_url=base_url,
        prefix=prefix,
        api_key=integrations.clear_key(integration.organization_id),
        organization_name=_UNPRINTABLE.sub("", integration.organization_name),
        journaling=integration.allows("call_journaling_enabled"),
        chat_journaling=integration.allows("chat_journaling_enabled"),
        contact_creation=integration.allows("contact_creation_enabled"),
    )
