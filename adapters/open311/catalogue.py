"""What anybody may read: where the face is, which services there are, what each asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.open311.codes import NAMESPACE
from adapters.open311.values import written_moment
from adapters.open311.writing import MEDIA
from gateway.errors import NotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.open311.options import Options
    from adapters.open311.services import Attribute, Service, Services

_FORMATS: Final = [media.partition(";")[0] for media in MEDIA.values()]


def discovery(options: Options, prefix: str, since: datetime) -> dict[str, Any]:
    """Return the service discovery. since: when this configuration was taken up."""
    changed = written_moment(since.replace(microsecond=0))
    endpoint = {
        "specification": NAMESPACE,
        "url": (options.public_url or prefix).rstrip("/"),
        "changeset": changed,
        "type": "production",
        "formats": _FORMATS,
    }
    return {
        "changeset": changed,
        "contact": options.contact or None,
        "key_service": options.key_service or None,
        "endpoints": [endpoint],
    }


def listed(services: Services) -> list[dict[str, Any]]:
    """Return the list of services."""
    return [_listed(service) for service in services.values()]


def _listed(service: Service) -> dict[str, Any]:
    return {
        "service_code": service.service_code,
        "service_name": service.service_name,
        "description": service.description or None,
        "metadata": bool(service.attribute),
        "type": service.type,
        "keywords": ", ".join(service.keywords) or None,
        "group": service.group or None,
    }


def definition(services: Services, code: str) -> dict[str, Any]:
    """Return what one service asks; raise NotFoundError."""
    service = services.get(code)
    if service is None:
        raise NotFoundError("service_code: нет такой услуги · no such service", found=code[:200])
    return {
        "service_code": service.service_code,
        "attributes": [_asked(n, attribute) for n, attribute in enumerate(service.attribute, 1)],
    }


def _asked(order: int, attribute: Attribute) -> dict[str, Any]:
    return {
        "variable": attribute.variable,
        "code": attribute.code,
        "datatype": attribute.datatype,
        "required": attribute.required,
        "datatype_description": attribute.datatype_description or None,
        "order": order,
        "description": attribute.description or None,
        "values": [{"key": key, "name": name} for key, name in attribute.values],
    }
