"""What each page of the cabinet shows; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.access import passwords
from gateway.access.sessions import form_token
from gateway.cabinet import html as h
from gateway.cabinet.appeals import FILES, SUBJECT_CHARS, TEXT_CHARS
from gateway.cabinet.words import state
from gateway.errors import GatewayError, violations_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from gateway.access.people import Person
    from gateway.wires import contract as c

TITLES: Final = {"esia": ("Войти через Госуслуги", "By ЕСИА (Gosuslugi)")}
NOTHING: Final[Mapping[str, str]] = {}


def menu(person: Person) -> h.Markup:
    """Return the head of a page of who is logged in."""
    leave = h.form(
        "/logout", form_token(person.token), h.button(h.both("Выйти", "Log out"), class_="link")
    )
    return h.join(h.link("/my/", h.both("Мой кабинет", "My page")), leave)


def trouble(error: GatewayError) -> h.Markup:
    """Return what went wrong, for whoever can mend it; of our own troubles nothing but that."""
    ours = error.who != "peer" and error.code != "busy"
    said = "сбой у нас, уже записан · our failure, it was recorded" if ours else error.message
    places = [] if ours else [v.message for v in violations_of(error) if v.message != said]
    told = h.tag("ul", *(h.tag("li", one) for one in places)) if places else None
    return h.tag("div", h.tag("p", said), told, class_="note wrong", role="alert")


def failed(error: GatewayError, correlation: str, person: Person | None) -> bytes:
    """Return the page of a refusal."""
    title = "Не получилось"
    return h.page(
        title,
        h.tag("h1", h.both(title, "It did not work")),
        trouble(error),
        h.tag(
            "p",
            h.both("Для поддержки, номер запроса", "For support, correlation id"),
            ": ",
            h.tag("code", correlation),
        ),
        h.tag("p", h.link("/my/", h.both("В кабинет", "To my page"))),
        menu=menu(person) if person else None,
    )


def leaving(where: str) -> bytes:
    """Return the page of who has logged out here, and goes on to the provider to do so there."""
    title = "Вы вышли"
    return h.page(
        title,
        h.tag("h1", h.both(title, "You are logged out")),
        h.tag(
            "p", h.link(where, h.both("Завершить и вход у провайдера", "Log out at the provider"))
        ),
    )


def login(
    browser: str, providers: Sequence[str], onward: str, error: GatewayError | None = None
) -> bytes:
    """Return the page to log in."""
    by = [
        h.tag(
            "p",
            h.link(
                f"/login/{name}?next={onward}",
                h.both(*TITLES.get(name, (f"Войти: {name}", f"By {name}"))),
                class_="button",
            ),
            " ",
            h.link(f"/login/{name}?official=1", h.both("как должностное лицо", "as an official")),
        )
        for name in providers
    ]
    form = h.form(
        "/login/local",
        form_token(browser),
        h.field("login", h.both("Логин", "Login"), autocomplete="username", maxlength="100",
                required="required"),
        h.field("password", h.both("Пароль", "Password"), type="password",
                autocomplete="current-password", maxlength="512", required="required"),
        h.button(h.both("Войти", "Log in")),
    )  # fmt: skip
    return h.page(
        "Вход",
        h.tag("h1", h.both("Вход", "Log in")),
        trouble(error) if error else None,
        *by,
        h.tag("h2", h.both("Для сотрудников", "For officials")),
        form,
    )


def code(person: Person, error: GatewayError | None = None) -> bytes:
    """Return the page that asks for the second factor."""
    return h.page(
        "Код",
        h.tag("h1", h.both("Код подтверждения", "One-time code")),
        trouble(error) if error else None,
        h.form(
            "/login/code",
            form_token(person.token),
            h.field(
                "code",
                h.both("Шесть цифр из приложения или запасной код", "Six digits, or a spare code"),
                autocomplete="one-time-code", maxlength="40", required="required",
            ),
            h.button(h.both("Войти", "Log in")),
        ),
    )  # fmt: skip


def password(person: Person, error: GatewayError | None = None) -> bytes:
    """Return the page to change the password."""
    why = "Пароль был разовый: задайте свой" if person.must else "Смена пароля"
    return h.page(
        "Пароль",
        h.tag("h1", h.both(why, "Change the password")),
        trouble(error) if error else None,
        h.tag("p", h.both(f"Не короче {passwords.SHORTEST} знаков; лучше несколько слов.",
                          f"At least {passwords.SHORTEST} characters; several words are best.")),
        h.form(
            "/my/password",
            form_token(person.token),
            h.field("old", h.both("Прежний пароль", "The old one"), type="password",
                    autocomplete="current-password", required="required"),
            h.field("new", h.both("Новый пароль", "The new one"), type="password",
                    autocomplete="new-password", required="required"),
            h.field("again", h.both("Новый ещё раз", "The new one again"), type="password",
                    autocomplete="new-password", required="required"),
            h.button(h.both("Сменить", "Change")),
        ),
        menu=menu(person),
    )  # fmt: skip


def enrol(
    person: Person, spelled: str, uri: str, sealed: str, error: GatewayError | None = None
) -> bytes:
    """Return the page that begins a second factor."""
    return h.page(
        "Второй фактор",
        h.tag("h1", h.both("Второй фактор", "Second factor")),
        trouble(error) if error else None,
        h.tag("p", h.both("Внесите ключ в приложение кодов и введите код, который оно покажет.",
                          "Put the key into your authenticator and type the code it shows.")),
        h.facts(
            (h.both("Ключ", "Key"), h.tag("code", spelled)),
            (h.both("Адрес", "Address"), h.tag("code", uri)),
        ),
        h.form(
            "/my/totp",
            form_token(person.token),
            h.void("input", type="hidden", name="secret", value=sealed),
            h.field("password", h.both("Пароль", "Password"), type="password",
                    autocomplete="current-password", maxlength="512", required="required"),
            h.field("code", h.both("Код", "Code"), autocomplete="one-time-code", maxlength="10",
                    required="required"),
            h.button(h.both("Включить", "Enrol")),
        ),
        menu=menu(person),
    )  # fmt: skip


def enrolled(person: Person, codes: Sequence[str]) -> bytes:
    """Return the page with spare codes; they are shown once."""
    return h.page(
        "Второй фактор включён",
        h.tag("h1", h.both("Второй фактор включён", "The second factor is on")),
        h.tag("p", h.both("Запасные коды, каждый на один раз. Больше их не покажут.",
                          "Spare codes, one use each. They will not be shown again.")),
        h.tag("ul", *(h.tag("li", h.tag("code", one)) for one in codes)),
        h.tag("p", h.link("/my/", h.both("Дальше", "Go on"), class_="button")),
        menu=menu(person),
    )  # fmt: skip


def official(
    person: Person, titles: Sequence[str], sessions: Sequence[Any], zone: ZoneInfo
) -> bytes:
    """Return the page of an official: who he is, and where he is logged in."""
    account = person.account
    rows: list[tuple[h.Content, ...]] = [
        (
            _at(one.created_at, zone),
            one.address,
            h.both("эта", "this one") if one.id == person.session.id else "",
        )
        for one in sessions
    ]
    everywhere = h.form(
        "/logout",
        form_token(person.token),
        h.void("input", type="hidden", name="everywhere", value="1"),
        h.button(h.both("Завершить все", "End them all")),
    )
    local = None
    if account.password:
        local = h.tag(
            "ul",
            h.tag("li", h.link("/my/password", h.both("Сменить пароль", "Change the password"))),
            h.tag("li", h.link("/my/totp", h.both("Второй фактор", "Second factor"))),
        )
    return h.page(
        "Мой кабинет",
        h.tag("h1", account.name or account.login),
        h.facts(
            (h.both("Логин", "Login"), account.login),
            (h.both("Организация", "Organisation"), account.organisation),
            (h.both("Роли", "Roles"), h.tag("ul", *(h.tag("li", one) for one in titles))),
        ),
        local,
        h.tag("h2", h.both("Где выполнен вход", "Sessions")),
        h.table((h.both("С", "Since"), h.both("Откуда", "From"), ""), rows),
        everywhere,
        menu=menu(person),
    )


def citizen(person: Person, items: Sequence[c.StatusItem], zone: ZoneInfo) -> bytes:
    """Return the page of a citizen: his appeals, the newest first."""
    rows: list[tuple[h.Content, ...]] = [
        (
            h.link(f"/my/appeals/{item.key.external_id}", item.receipt_number or ""),
            h.both(*state(item.state or "")),
            item.due_date.strftime("%d.%m.%Y") if item.due_date else "",
            _at(item.updated_at, zone) if item.updated_at else "",
        )
        for item in items
    ]
    heads = (
        h.both("Номер", "Number"), h.both("Состояние", "State"), h.both("Ответ до", "Due"),
        h.both("Изменено", "Changed"),
    )  # fmt: skip
    none = h.tag("p", h.both("Обращений пока нет.", "No appeals yet."))
    return h.page(
        "Мои обращения",
        h.tag("h1", h.both("Мои обращения", "My appeals")),
        h.tag(
            "p", h.link("/my/new", h.both("Подать обращение", "Make an appeal"), class_="button")
        ),
        h.table(heads, rows) if rows else none,
        menu=menu(person),
    )


def new(
    person: Person, key: str, given: Mapping[str, str] = NOTHING, error: GatewayError | None = None
) -> bytes:
    """Return the form of an appeal; given: what was written before it was refused."""
    assert person.identity is not None
    author = person.identity.person
    name = " ".join(filter(None, (author.family, author.given, author.patronymic)))
    form = h.form(
        "/my/appeals",
        form_token(person.token),
        h.void("input", type="hidden", name="key", value=key),
        h.field("subject", h.both("О чём", "Subject"), value=given.get("subject", ""),
                maxlength=str(SUBJECT_CHARS)),
        h.field("address", h.both("Где это", "Where it is"), value=given.get("address", ""),
                maxlength=str(SUBJECT_CHARS), autocomplete="off"),
        h.area("text", h.both("Что случилось", "What it is about"), value=given.get("text", ""),
               maxlength=str(TEXT_CHARS), required="required"),
        h.field("files", h.both(f"Файлы, до {FILES}, каждый до 5 МБ, вместе до 12 МБ",
                                f"Files, up to {FILES}, 5 MB each, 12 MB in all"),
                type="file", multiple="multiple"),
        h.button(h.both("Отправить", "Send")),
        enctype="multipart/form-data",
    )  # fmt: skip
    return h.page(
        "Новое обращение",
        h.tag("h1", h.both("Новое обращение", "A new appeal")),
        trouble(error) if error else None,
        h.tag("p", h.both("Заявитель", "Applicant"), ": ", name or author.full_name_as_given),
        form,
        menu=menu(person),
    )


def appeal(person: Person, own: str, seen: c.AppealOut, zone: ZoneInfo) -> bytes:
    """Return one appeal with its answers."""
    numbers = ", ".join(one.number for one in seen.registrations if one.number)
    place = seen.problem_address.raw if seen.problem_address else ""
    answers = [
        h.join(
            h.tag("h2", h.both("Ответ", "Answer"), f" {one.date:%d.%m.%Y} {one.number or ''}"),
            h.tag("p", one.text or "", class_="text"),
            h.tag("p", h.both("Подписал", "Signed by"), f": {one.signed_by}")
            if one.signed_by
            else None,
            _files(own, one.attachments),
        )
        for one in seen.answers
    ]
    return h.page(
        f"Обращение {seen.receipt_number}",
        h.tag("h1", h.both("Обращение", "Appeal"), f" {seen.receipt_number}"),
        h.facts(
            (h.both("Состояние", "State"), h.both(*state(seen.state))),
            (h.both("Подано", "Made"), _at(seen.accepted_at, zone)),
            (h.both("Регистрационный номер", "Registration"), numbers),
            (
                h.both("Ответ до", "Answer due"),
                f"{seen.due_date:%d.%m.%Y}" if seen.due_date else "",
            ),
            (h.both("О чём", "Subject"), seen.subject),
            (h.both("Где", "Where"), place),
        ),
        h.tag("p", seen.text or "", class_="text"),
        _files(own, seen.attachments),
        *answers,
        menu=menu(person),
    )


def _files(own: str, files: Sequence[c.AttachmentOut]) -> h.Markup | None:
    if not files:
        return None
    return h.tag(
        "ul",
        *(
            h.tag("li", h.link(f"/my/appeals/{own}/{one.attachment_id}", one.file_name))
            for one in files
        ),
    )


def _at(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%d.%m.%Y %H:%M")
