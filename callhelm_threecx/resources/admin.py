"""``/setup`` and ``/agents``: what an administrator sets up."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

import falcon

from callhelm_threecx import routes
from callhelm_threecx.errors import BadInputError, FieldError, collecting
from callhelm_threecx.middleware.auth import KeyKind
from callhelm_threecx.middleware.client import Client
from callhelm_threecx.models import AgentMappingRow
from callhelm_threecx.resources.reading import (
    BodyReader,
    actor_of,
    the_readable_organization,
    writable_organization,
)
from callhelm_threecx.services.agents import Agents, NewMapping
from callhelm_threecx.services.changes import MAX_NAME, optional_text, read_change
from callhelm_threecx.services.integrations import (
    MAX_GRACE_MINUTES,
    Integration,
    Integrations,
)
from callhelm_threecx.services.reports import text_fields

_FOR_ADMIN: Final = (KeyKind.ADMIN,)
_FOR_BOTH: Final = (KeyKind.ADMIN, KeyKind.ORGANIZATION)
_MAPPING_FIELDS: Final = {
    "extension": 20,
    "agentId": 64,
    "agentEmail": 320,
    "agentFirstName": 320,
    "agentLastName": 320,
}


class SetupResource:
    """``POST``, ``GET`` and ``PATCH /setup``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {
        "GET": _FOR_ADMIN,
        "PATCH": _FOR_ADMIN,
        "POST": _FOR_ADMIN,
    }

    def __init__(
        self, integrations: Integrations, client: Client, body: BodyReader, prefix: str
    ) -> None:
        self._integrations = integrations
        self._client = client
        self._body = body
        self._prefix = prefix

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Create an integration, or give it a new key; the key is shown here only."""
        body = self._body(req)
        organization_id = writable_organization(req, body)
        with collecting("The body cannot be read.") as errors:
            grace = body.get("graceMinutes", 0)
            if type(grace) is not int or not 0 <= grace <= MAX_GRACE_MINUTES:
                message = f"must be a whole number from 0 to {MAX_GRACE_MINUTES}"
                errors.append(FieldError("graceMinutes", message))
            name = optional_text(body, "organizationName", MAX_NAME, errors)
        integration, api_key = self._integrations.set_up(
            organization_id,
            grace_minutes=grace,
            organization_name=name,
            by=actor_of(req),
        )
        download_url = f"{self._template_url(req)}?apiKey={quote(api_key, safe='')}"
        resp.media = {
            "success": True,
            "apiKey": api_key,
            "crmUrl": self._client.base_url(req),
            "downloadUrl": download_url,
            "keyHint": integration.key_hint,
        }

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The state of an integration, without its key."""
        integration = self._integrations.get(the_readable_organization(req))
        if integration is None:
            resp.media = {"enabled": False, "configured": False}
        else:
            resp.media = self._state(req, integration)

    def on_patch(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Change what the body names; settings are merged."""
        body = self._body(req)
        organization_id = writable_organization(req, body)
        change = read_change(body)
        integration = self._integrations.change(organization_id, change, by=actor_of(req))
        resp.media = self._state(req, integration)

    def _template_url(self, req: falcon.Request) -> str:
        return f"{self._client.base_url(req)}{self._prefix}{routes.TEMPLATE}"

    def _state(self, req: falcon.Request, integration: Integration) -> dict[str, Any]:
        grace = integration.previous_key_expires_at
        return {
            "success": True,
            "enabled": integration.enabled,
            "configured": True,
            "organizationId": integration.organization_id,
            "organizationName": integration.organization_name,
            "crmUrl": self._client.base_url(req),
            "downloadUrl": self._template_url(req),
            "threeCxServerUrl": integration.three_cx_server_url,
            "defaultRegion": integration.region,
            "settings": integration.settings,
            "keyHint": integration.key_hint,
            "keyCreatedAt": integration.key_created_at.isoformat(),
            "previousKeyExpiresAt": grace.isoformat() if grace else None,
            "createdAt": integration.created_at.isoformat(),
            "updatedAt": integration.updated_at.isoformat(),
        }


class AgentsResource:
    """``GET`` and ``POST /agents``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"GET": _FOR_BOTH, "POST": _FOR_ADMIN}

    def __init__(self, agents: Agents, body: BodyReader) -> None:
        self._agents = agents
        self._body = body

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Every mapping of an organization."""
        mappings = self._agents.all(the_readable_organization(req))
        resp.media = {"success": True, "mappings": [_mapping(row) for row in mappings]}

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Map an extension, in place of what it was mapped to."""
        body = self._body(req)
        organization_id = writable_organization(req, body)
        texts = text_fields(body, _MAPPING_FIELDS)
        if not texts["extension"]:
            raise BadInputError.of_field("extension", "is required")
        mapping = NewMapping(
            extension=texts["extension"],
            agent_id=texts["agentId"],
            agent_email=texts["agentEmail"],
            agent_first_name=texts["agentFirstName"],
            agent_last_name=texts["agentLastName"],
        )
        row = self._agents.put(organization_id, mapping, by=actor_of(req))
        resp.media = {"success": True, "mapping": _mapping(row)}


class AgentResource:
    """``DELETE /agents/{id}``."""

    keys: ClassVar[Mapping[str, Collection[KeyKind]]] = {"DELETE": _FOR_ADMIN}

    def __init__(self, agents: Agents) -> None:
        self._agents = agents

    def on_delete(self, req: falcon.Request, resp: falcon.Response, mapping_id: str) -> None:
        """Remove a mapping of the organization."""
        organization_id = writable_organization(req, req.params)
        self._agents.delete(organization_id, mapping_id, by=actor_of(req))
        resp.media = {"success": True}


def _mapping(row: AgentMappingRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "organizationId": row.organization_id,
        "extension": row.three_cx_extension,
        "agentId": row.agent_id,
        "agentEmail": row.agent_email,
        "agentFirstName": row.agent_first_name,
        "agentLastName": row.agent_last_name,
        "createdAt": row.created_at.isoformat(),
        "updatedAt": row.updated_at.isoformat(),
    }
