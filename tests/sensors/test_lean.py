"""What a serving process holds of a catalog: the same policies, their cases left out, equal things once."""

from __future__ import annotations

from dataclasses import replace

from sensors.lean import lean
from tests.sensors.project import NAME, Project


def test_it_says_the_same_but_for_cases_and_holds_equal_things_once(project: Project) -> None:
    project.write("policies/chat/again.yml", project.read(f"policies/{NAME.replace('.', '/')}.yml"))
    project.write("sql/chat/again.sql", project.read(f"sql/{NAME.replace('.', '/')}.sql"))
    whole = project.load()
    assert whole.policies.keys() >= {NAME, "chat.again"}
    held = lean(replace(whole, parts={"main": whole}))
    for name, policy in whole.policies.items():
        assert held.policies[name] == replace(policy, cases=())
        assert held.parts["main"].policies[name] == held.policies[name]
        assert held.parts["main"].policies[name].body is held.policies[name].body
    one, other = held.policies[NAME], held.policies["chat.again"]
    assert whole.policies[NAME].severity is not whole.policies["chat.again"].severity
    assert (one.severity is other.severity, one.query.sql is other.query.sql) == (True, True)
