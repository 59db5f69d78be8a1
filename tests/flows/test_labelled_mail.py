"""Three policies over real mail, written before they were scored and never changed since: how right they are.

They went in unscored, in a commit of their own. None of them is tuned to a better score."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sensors.catalog import load
from sensors.sql.labels import why_it_may_read

ROOT = Path(__file__).parents[2]
MAIL = ROOT.parent / "shared" / "data" / "messages.parquet"
FILES = Path(__file__).parent / "labelled"
SCORES = {  # policy -> true and false positives, false and true negatives, by row
    "mail.disguised_link": (72, 5, 411, 2744),
    "mail.shouting_for_money": (45, 4, 438, 2745),
    "mail.way_out": (94, 2, 389, 2747),
}


def test_none_of_them_reads_the_label() -> None:
    catalog = load(FILES)
    assert catalog.errors == ()
    assert set(catalog.policies) == set(SCORES)
    for policy in catalog.policies.values():
        query = policy.query
        assert why_it_may_read(query.sql, query.dialect, "main.messages", "is_spam") == ""
        assert (
            why_it_may_read(query.sql, query.dialect, "main.messages", "message_id") != ""
        )  # the proof is awake


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MAIL.exists():
        pytest.skip(f"{MAIL.name} does not lie beside the project")
    folder = tmp_path_factory.mktemp("mail") / "labelled"
    shutil.copytree(FILES, folder)
    with duckdb.connect(str(folder / "mail.duckdb")) as c:
        c.execute(f"CREATE TABLE messages AS SELECT * EXCLUDE (corpus) FROM '{MAIL}'")
    return folder


def patrol(project: Path, *words: str) -> dict[str, Any]:
    words = (*words, "--json", "--project", str(project))
    ran = subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("name", SCORES)
def test_their_scores_are_those_that_the_guide_tells(name: str, project: Path) -> None:
    found = patrol(project, "score", name, "--labels", "main.messages.is_spam")
    rows = found["rows"]
    counts = tuple(rows[n] for n in ("tp", "fp", "fn", "tn"))
    assert counts == SCORES[name]
    assert (sum(counts), found["without_time"]) == (3232, 18)  # of 3,250
    shares = [
        f"{share['value']:.1%} ({share['interval'][0]:.1%} to {share['interval'][1]:.1%})"
        for share in (rows["precision"], rows["recall"])
    ]
    title = load(FILES).policies[name].title.lower().split(" that ")[0]
    told = [
        line for line in (ROOT / "docs/policies.md").read_text().splitlines() if f"| {title[:20]}" in line
    ]
    assert [re.split(r" *\| *", line)[2:5] for line in told] == [[str(counts[0] + counts[1]), *shares]]


def test_a_backtest_of_ten_days_counts_what_the_mail_holds(project: Path) -> None:
    span = ("--from", "2002-08-20", "--to", "2002-08-30")
    found = patrol(project, "backtest", "mail.way_out", *span)
    each = patrol(project, "backtest", "mail.way_out", *span, "--step", "1d")
    assert found["alerts"] == each["alerts"]
    assert len(found["alerts"]) > 5
    assert found["looks"] > each["looks"] >= 10
