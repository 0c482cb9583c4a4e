"""What people may do follows from a file of roles and from the directory, and nothing else."""

import pytest

from gateway import roles
from gateway.errors import ConfigurationError
from gateway.roles import HOUSE, Resource, may

SHIPPED = roles.read_roles()
PARENTS = {"gzhi": "", "north": "gzhi", "north-1": "north", "other": ""}
THE_TEN = {
    "registrar", "coordinator", "executor", "contractor", "inspector", "engineer", "head",
    "auditor", "administrator", "citizen",
}  # fmt: skip


def person(*held, organisation="north"):
    return roles.principal(SHIPPED, "p1", "ivan", held, organisation=organisation, parents=PARENTS)


def allowed(who, action, resource):
    return may(who, action, resource).allowed


def test_the_ten_roles_are_there_with_titles_in_both_languages():
    assert set(SHIPPED) == THE_TEN
    assert all(" · " in role.title for role in SHIPPED.values())


def test_a_role_holds_within_the_own_body_and_those_below_it():
    registrar = person("registrar")
    assert allowed(registrar, "appeal.act:Registered", Resource("north"))
    assert allowed(registrar, "appeal.act:Registered", Resource("north-1"))
    assert not allowed(registrar, "appeal.act:Registered", Resource("gzhi"))
    assert not allowed(registrar, "appeal.act:Registered", Resource("other"))
    assert not allowed(registrar, "appeal.act:Registered", HOUSE)


def test_who_has_no_body_may_nothing_within_bodies():
    assert not allowed(person("registrar", organisation=""), "appeal.read", Resource("north"))
    assert not allowed(person("registrar", organisation=""), "appeal.read", Resource(""))


@pytest.mark.parametrize("role", ["contractor", "engineer", "auditor", "administrator"])
def test_roles_that_need_no_personal_data_of_appeals_get_none(role):
    assert not allowed(person(role), "appeal.read_personal", Resource("north"))


def test_a_citizen_may_read_and_submit_only_what_is_his_own():
    citizen = person("citizen", organisation="")
    assert allowed(citizen, "appeal.read_own", Resource(owner="p1"))
    assert not allowed(citizen, "appeal.read_own", Resource(owner="p2"))
    assert not allowed(citizen, "appeal.read_own", Resource(owner=""))
    assert not allowed(citizen, "appeal.read", Resource(owner="p1"))


def test_several_roles_add_up_and_an_unknown_one_gives_nothing():
    both = person("auditor", "executor", "vanished")
    assert allowed(both, "readings.read", HOUSE)
    assert allowed(both, "appeal.read_personal", Resource("north"))
    nobody = person("vanished")
    assert not any(allowed(nobody, action, Resource("north")) for action in roles.ACTIONS)


def test_a_refusal_says_why_for_our_own_record():
    assert "another body" in may(person("head"), "appeal.read", Resource("other")).why
    assert "no role" in may(person("head"), "access.manage", HOUSE).why


def test_a_circle_in_the_directory_ends():
    assert roles.below("a", {"a": "b", "b": "a"}) == {"a", "b"}


def test_an_operator_may_put_his_own_file_with_a_star(tmp_path):
    file = tmp_path / "roles.toml"
    file.write_text('[clerk]\ntitle = "Писарь"\norganisation = ["appeal.act:*"]\n', "utf-8")
    clerk = roles.principal(roles.read_roles(file), "x", "x", ["clerk"], organisation="north")
    assert allowed(clerk, "appeal.act:Answered", Resource("north"))
    assert not allowed(clerk, "appeal.read", Resource("north"))


@pytest.mark.parametrize(
    "text",
    [
        '[clerk]\ntitle = "x"\neverywhere = ["appeal.reed"]',
        '[clerk]\ntitle = "x"\neverywhere = ["*"]',
        '[clerk]\ntitle = "x"\nevrywhere = []',
        '["Clerk 1"]\ntitle = "x"',
        "[clerk",
    ],
)
def test_a_file_with_a_mistake_is_refused_by_name(tmp_path, text):
    file = tmp_path / "roles.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as refused:
        roles.read_roles(file)
    assert str(file) in refused.value.where


def test_who_has_a_role_for_bodies_and_no_body_is_idle():
    assert roles.is_idle(SHIPPED, [], "gzhi")
    assert roles.is_idle(SHIPPED, ["registrar"], "")
    assert not roles.is_idle(SHIPPED, ["registrar"], "gzhi")
    assert not roles.is_idle(SHIPPED, ["administrator"], "")


def test_nobody_is_made_a_citizen_or_what_there_is_not():
    roles.require_known(SHIPPED, ["head", "auditor"])
    for name in ("citizen", "boss"):
        with pytest.raises(ConfigurationError):
            roles.require_known(SHIPPED, [name])
