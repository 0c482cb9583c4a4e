"""What an error file says: one `Problem` a cell, in Russian and in English.

`code` is a code of gateway.errors (docs/errors.md), `rule` a short stable word that says which rule
was broken; both stand in the error file, so that a partner's program needs to read no sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.errors import MalformedError, TooLargeError, ValidationError, Violation

if TYPE_CHECKING:
    from gateway.errors import GatewayError


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with a row or a file.

    column: name of the column, or path within an item of an XML bundle; empty: the row as a whole.
    found is cut to 200 characters; expected is an example or a list, readable in both languages.
    line: of the file, from 1, in an XML bundle; 0 in a table, whose rows say it.
    """

    code: str
    rule: str
    ru: str
    en: str
    column: str = ""
    found: str = ""
    expected: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Say it on one line, in Russian and English."""
        place = f"{self.column}: " if self.column else ""
        rest = " → ".join(part for part in (self.found, self.expected) if part)
        return f"{place}{self.ru} · {self.en}" + (f": {rest}" if rest else "")


class _Text(NamedTuple):
    code: str
    ru: str
    en: str


TEXTS: Final[dict[str, _Text]] = {
    "required": _Text("validation", "нет обязательного значения", "a required value is missing"),
    "character": _Text("validation", "недопустимый символ", "a character that may not stand here"),
    "future": _Text("validation", "дата позже, чем может быть", "the date is later than it can be"),
    "date": _Text("validation", "это не дата", "not a calendar date"),
    "date_time": _Text("validation", "это не дата и время", "not a date with a time"),
    "boolean": _Text("validation", "это не «да» и не «нет»", "neither a yes nor a no"),
    "integer": _Text("validation", "это не целое число", "not a whole number"),
    "decimal": _Text("validation", "это не число", "not a number"),
    "digits": _Text("validation", "здесь должны быть только цифры", "only digits may stand here"),
    "oktmo": _Text("validation", "это не код ОКТМО", "not a code of ОКТМО"),
    "oktmo_zero": _Text(
        "validation",
        "в коде ОКТМО не хватает цифры: вероятно, программа отбросила ноль в начале",
        "ОКТМО lacks a digit: a program has probably eaten the leading zero",
    ),
    "guid": _Text("validation", "это не GUID", "not a GUID"),
    "enumeration": _Text("validation", "такого значения нет в списке", "not a word of the list"),
    "lookalike": _Text(
        "validation",
        "вместо цифры стоит похожая на неё буква",
        "a letter that looks like a digit stands in its place",
    ),
    "differs": _Text(
        "validation",
        "строки одного обращения расходятся в этом столбце",
        "rows of one appeal disagree in this column",
    ),
    "pattern": _Text("validation", "значение не того вида", "the value has another form"),
    "range": _Text("validation", "число вне границ", "the number is out of range"),
    "structure": _Text(
        "validation", "значения не складываются в обращение", "the values do not form an appeal"
    ),
    "header": _Text(
        "validation", "в заголовке нет обязательного столбца", "the header lacks a required column"
    ),
    "header_twice": _Text(
        "validation", "столбец назван в заголовке дважды", "the header names a column twice"
    ),
    "header_unknown": _Text(
        "validation", "столбца нет в профиле", "the profile does not know this column"
    ),
    "no_rows": _Text("validation", "в файле нет ни одной строки", "the file holds no row"),
    "root": _Text(
        "validation",
        "элемент здесь не ожидается: это не пакет обращений",
        "the element is not expected here: no bundle of appeals",
    ),
    "columns": _Text(
        "malformed",
        "число ячеек в строке не совпадает с заголовком",
        "the number of cells differs from the header",
    ),
    "quote": _Text(
        "malformed", "кавычка открыта и не закрыта", "a quote is opened and never closed"
    ),
    "after_quote": _Text(
        "malformed",
        "после закрывающей кавычки стоит не разделитель",
        "a closing quote is not followed by the delimiter",
    ),
    "line_end": _Text(
        "malformed",
        "возврат каретки без перевода строки вне кавычек",
        "a carriage return without line feed outside quotes",
    ),
    "encoding": _Text(
        "malformed", "байт не принадлежит кодировке", "a byte does not belong to the encoding"
    ),
    "encoding_unknown": _Text(
        "malformed",
        "не удалось определить кодировку; укажите её в профиле",
        "the encoding cannot be told; name it in the profile",
    ),
    "cut": _Text(
        "malformed",
        "строка не окончена: файл передан не до конца",
        "the row is not finished: the file did not arrive whole",
    ),
    "empty": _Text("malformed", "файл пуст", "the file is empty"),
    "no_documents": _Text(
        "validation",
        "в файле нет ни одного документа",
        "the file holds no document",
    ),
    "digest": _Text(
        "malformed",
        "контрольная сумма не сошлась: файл передан с ошибкой",
        "the checksum differs: the file did not arrive as it was sent",
    ),
    "not_plain": _Text(
        "malformed",
        "это не обычный файл (ссылка, канал, каталог)",
        "this is no plain file (a link, a pipe, a directory)",
    ),
    "changed": _Text(
        "malformed",
        "файл изменился, пока его читали: пишите под другим именем и переименовывайте",
        "the file changed while it was read: write it under another name, then rename it",
    ),
    "xml": _Text("malformed", "XML оборван или испорчен", "the XML is cut or broken"),
    "doctype": _Text("malformed", "DTD в XML не принимается", "a DTD is not taken"),
    "too_large": _Text("too_large", "превышен предел", "past a limit"),
    "row_large": _Text("too_large", "строка слишком длинная", "the row is too long"),
    "cell_large": _Text("too_large", "ячейка слишком длинная", "the cell is too long"),
    "many_columns": _Text("too_large", "слишком много столбцов", "too many columns"),
    "many_rows": _Text(
        "too_large",
        "слишком много строк: эта и следующие не прочитаны",
        "too many rows: this one and the rest were not read",
    ),
    "file_large": _Text("too_large", "файл слишком большой", "the file is too large"),
    "workbook": _Text(
        "unsupported",
        "это книга Excel или архив, а не CSV: сохраните лист как CSV",
        "a workbook or an archive, not CSV: save the sheet as CSV",
    ),
    "utf16": _Text(
        "unsupported",
        "файл в UTF-16: сохраните его в UTF-8",
        "the file is UTF-16: save it as UTF-8",
    ),
    "no_profile": _Text(
        "configuration",
        "для этого ящика не настроен профиль таблиц: сообщите оператору шлюза",
        "no table profile is set for this inbox: tell the gateway's operator",
    ),
}
"""Rule → code of the error tree, Russian and English sentence."""

_EIGHT_BIT: Final = {"cp1251": "windows-1251", "cp866": "cp866", "koi8-r": "KOI8-R"}
"""As people know them; of each two rules: UTF-8 in its place, and it in the place of UTF-8."""

for _name, _title in _EIGHT_BIT.items():
    TEXTS[f"utf8_not_{_name}"] = _Text(
        "malformed",
        f"файл в UTF-8, а профиль ждёт {_title}",
        f"the file is UTF-8, and the profile expects {_title}",
    )
    TEXTS[f"{_name}_not_utf8"] = _Text(
        "malformed",
        f"файл, судя по буквам, в {_title}, а профиль ждёт UTF-8",
        f"the file is {_title} by its letters, and the profile expects UTF-8",
    )

_BY_ENGLISH: Final = {text.en: rule for rule, text in TEXTS.items()}

_BY_CODE: Final = {
    "input": "сообщение не принято",
    "malformed": "содержимое не читается",
    "too_large": "превышен предел",
    "validation": "значение нарушает контракт",
    "unknown_operation": "такой операции нет",
    "unsupported": "такое здесь не принимается",
    "conflict": "под этим номером уже принято другое содержание; повысьте ревизию, если это правка",
    "state": "в этом состоянии так нельзя",
    "not_found": "такого обращения у вас нет",
    "access": "нет доступа",
    "busy": "хранилище занято, пришлите позже",
    "configuration": "ошибка настройки шлюза: сообщите оператору",
    "internal": "внутренняя ошибка шлюза: сообщите оператору",
}


_BY_VIOLATION: Final = {
    "min_length": "значение слишком короткое",
    "max_length": "значение слишком длинное",
    "length": "значение не той длины",
    "minimum": "число слишком мало",
    "maximum": "число слишком велико",
    "type": "значение не того типа",
    "value": "значение не удаётся принять",
    "attribute": "атрибут здесь не допускается",
    "children": "здесь должно быть значение, а не элементы",
    "text": "здесь должны быть элементы, а не текст",
    "nil": "элемент не может быть пустым (nil): если значения нет, уберите его",
    "xsi_type": "xsi:type называет не тот тип",
    "schema": "элемент нарушает схему",
    "unknown_element": "такого элемента в контракте нет",
    "unexpected": "элемент здесь не ожидается: неизвестен, повторён или стоит не по порядку",
    "namespace": "элемент в другом пространстве имён, чем контракт",
    "max_items": "в списке слишком много элементов",
    "choice": "должно быть указано ровно одно из значений",
    "ordinal": "вопросы нумеруются с 1, каждый номер один раз",
    "disagrees": "два места говорят разное",
    "sha256": "контрольная сумма файла другая",
    "size": "длина файла другая",
    "attachment": "AttachmentId не от этого файла",
}
"""What the contract says of a place, by the word of the violation, where no profile has a rule."""


def _russian(code: str) -> str:
    if code in TEXTS:
        return TEXTS[code].ru
    return _BY_VIOLATION.get(code, _BY_CODE["validation"])


def problem(rule: str, *, column: str = "", found: str = "", expected: str = "") -> Problem:
    """Return the problem of a rule in `TEXTS`."""
    text = TEXTS[rule]
    return Problem(
        code=text.code,
        rule=rule,
        ru=text.ru,
        en=text.en,
        column=column,
        found=found[:200],
        expected=expected,
    )


def refuse(rule: str, found: str = "", expected: str = "", column: str = "") -> ValidationError:
    """Return the error for a value that breaks a rule."""
    text = TEXTS[rule]
    return ValidationError(text.en, (Violation(column, rule, text.en, found[:200], expected),))


def unreadable(rule: str, found: str = "", expected: str = "", where: str = "") -> GatewayError:
    """Return the error for a file that cannot be read as a whole."""
    text = TEXTS[rule]
    cls = {"malformed": MalformedError, "too_large": TooLargeError}.get(text.code)
    if cls is None:
        return _other(text.code)(text.en, found=found, expected=expected, where=where)
    return cls(text.en, found=found, expected=expected, where=where)


def as_error(problems: tuple[Problem, ...], reason: str = "") -> GatewayError:
    """Return one error that carries the problems of a row, to keep with the row's message.

    reason: what is said of the row as a whole.
    """
    worst = next((p for p in problems if p.code != "validation"), None)
    if worst is not None and len(problems) == 1:
        return (
            unreadable(worst.rule, worst.found, worst.expected, worst.column)
            if (worst.rule in TEXTS)
            else MalformedError(worst.en, found=worst.found, where=worst.column)
        )
    return ValidationError(
        reason or "the row breaks its profile",
        tuple(Violation(p.column, p.rule, p.en, p.found, p.expected, p.line) for p in problems),
    )


def problems_of(error: GatewayError, column: str = "") -> tuple[Problem, ...]:
    """Return what an error says, as problems; `column` where the error names no place."""
    if isinstance(error, ValidationError) and error.violations:
        return tuple(
            Problem(
                code=error.code,
                rule=violation.code,
                ru=_russian(violation.code),
                en=violation.message,
                column=violation.path or column,
                found=violation.found,
                expected=violation.expected,
                line=violation.line,
            )
            for violation in error.violations
        )
    rule = _BY_ENGLISH.get(error.message, "")
    return (
        Problem(
            code=error.code,
            rule=rule or error.code,
            ru=TEXTS[rule].ru if rule else _BY_CODE.get(error.code, _BY_CODE["internal"]),
            en=error.message,
            column=error.where or column,
            found=error.found,
            expected=error.expected,
        ),
    )


def _other(code: str) -> type[GatewayError]:
    from gateway.errors import codes

    return codes()[code]
