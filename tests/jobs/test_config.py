"""What `patrol check` says of a job's config: every mistake, each in a sentence."""
# ruff: noqa: E501 - a table of sentences reads better unbroken

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.jobs import KINDS
from bot.jobs.config import problems
from sensors.file_job import JOB_KEYS, JobFile
from sensors.model.job import Job, Param
from sensors.model.policy import Cron

SELLER = (Param("seller_id"),)
ROOT = Path(__file__).parents[2]
JOBS = ROOT / "policies" / "_jobs.yml"
NOT_CONFIG = {
    "title",
    "kind",
    "owner",
    "params",
    "after",
    "timeout",
    "approval",
    "changes",
    "undo",
    "description",
    "schedule",
    "late_after",
}
GOOD: dict[str, Any] = {"url": "${PATROL_RISK_URL}/x", "body": {"s": "{seller_id}"}}
FOLLOWED = {**GOOD, "poll": {"url": "https://x.example/{id}"}}
CALLED = {"url": "https://x.example/", "body": {"s": "{seller_id}", "tell": "{callback}"}}
PIPE = {"PipelineName": "rescore", "PipelineParameters": [{"Name": "Seller", "Value": "{seller_id}"}]}
SCORE = {"starts": "pipeline", "request": PIPE}
FIT = {
    "RoleArn": "${ROLE}",
    "HyperParameters": {"seller_id": "{seller_id}"},
    "OutputDataConfig": {"S3OutputPath": "s3://models/risk"},
}
HELD = "INSERT INTO h VALUES (:seller_id)"


def told(kind: str, params: tuple[Param, ...] = SELLER, **config: Any) -> list[str]:
    return problems(Job("j", kind, "J", "payments", config, params))


def test_good_configs_have_no_problem() -> None:
    assert told("http", **GOOD) == []
    assert (
        told("http", **GOOD, poll={"url": "https://risk.example/runs/{id}", "every": "3s", "done": "ok"})
        == []
    )
    assert told("http", **CALLED, called_back={}) == []
    assert told("http", **{**CALLED, "poll": FOLLOWED["poll"]}, called_back={"failed": ["error"]}) == []
    assert told("sql", url="sqlite:///x.db", statement=HELD) == []
    assert told("sagemaker", **SCORE, region="eu-west-1", prefix="risk-rescore") == []
    assert told("sagemaker", starts="training", request=FIT) == []
    assert (
        told("command", command=["python", "-m", "risk", "--seller={seller_id}", 3, "--", "{seller_id}"])
        == []
    )
    for words in (["bash", "-c", 'echo "$1"', "x"], ["python", "-m", "risk", "-c"], ["perl", "-w", "a.pl"]):
        assert told("command", command=[*words, "{seller_id}"]) == []
    assert told("dbt", project="../shop", select=["orders", "{seller_id}"]) == []
    cloud = {"url": "https://cloud.getdbt.com", "account": "${ACCOUNT}", "job": 7, "token": "${DBT_TOKEN}"}
    assert told("dbt", **cloud, params=()) == []
    assert told("dbt", **cloud, vars={"seller": "{seller_id}"}) == []
    assert (
        told("sql", url="${A:-sqlite:///x.db}", statement="UPDATE h SET a = :idempotency_key", params=())
        == []
    )


MISTAKES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("htp", {}, ['kind: there is no kind "htp"; did you mean "http"?']),
    ("http", {}, ["url: is missing; a job of kind http needs it"]),
    ("sql", {}, ["url: is missing; a job of kind sql needs it", "statement: is missing; a job of kind sql needs it"]),
    ("http", {**GOOD, "metod": "GET"}, ['metod: is not a key of a job of kind http; did you mean "method"?']),
    ("http", {**GOOD, "method": "GRAB"}, ["method: must be a method such as GET or POST"]),
    ("http", {**GOOD, "method": "get"}, ["body: a GET request has none; take it away, or make the method POST"]),
    ("http", {**GOOD, "headers": {"A": 2}}, ['headers.A: must be text; put quotes around it: "2"']),
    ("http", {**GOOD, "headers": {"A": None}}, ["headers.A: must be text"]),
    ("http", {**GOOD, "headers": {"X-Author": "patrol", "X-Keyspace": "risk", "X-Auth": "${A}"}}, []),
    ("http", {**GOOD, "headers": {"X-Api-Key": "sk_live_1"}}, ["headers.X-Api-Key: a secret stands in the environment only; write ${NAME}"]),
    ("http", {**GOOD, "url": "https://ana:hush@x.example/"}, ["url: a password stands in the environment only; write ${NAME} in its place"]),
    ("sql", {"url": "postgresql://ana:hush@db/x", "statement": HELD}, ["url: a password stands in the environment only; write ${NAME} in its place"]),
    ("sql", {"url": "postgresql://ana:${PW}@db/x", "statement": HELD}, []),
    ("http", {**GOOD, "url": "https://x.example/${API KEY}"}, ["url: ${API KEY} names no variable; write ${NAME} or ${NAME:-default}"]),
    ("http", {**GOOD, "body": {"s": "{{ seller_id }}"}}, ["params.seller_id: the job asks for it and does not use it", "body: a value is written {seller_id}, not {{ seller_id }}"]),
    ("http", {**GOOD, "headers": {"idempotency-KEY": "x"}}, ["headers.idempotency-KEY: Patrol sets this header itself"]),
    ("http", {**GOOD, "headers": {"A": "{seller_id}"}}, ["headers.A: takes ${VARIABLES} only, no parameters"]),
    ("http", {**GOOD, "url": "risk.example/x"}, ["url: must begin with https:// or a ${VARIABLE} that does, not 'risk.example/x'"]),
    ("http", {**GOOD, "url": "file:///etc/passwd"}, ["url: must begin with https:// or a ${VARIABLE} that does, not 'file:///etc/passwd'"]),
    ("http", {**GOOD, "url": "https://{seller_id}.example/"}, ["url: a parameter cannot choose the host; put a / before it"]),
    ("http", {**GOOD, "body": {"s": "{selr_id}"}}, ['body: there is no parameter "selr_id"; did you mean "seller_id"?', "params.seller_id: the job asks for it and does not use it"]),
    ("http", {**GOOD, "poll": {"url": "https://x.example/{run}"}}, ["poll.url: needs {id}, which says of which run it is", "poll.url: knows {id} only, not {run}"]),
    ("http", {**GOOD, "poll": {"url": "https://x.example/{id}", "every": "soon"}}, ["poll.every: must be a duration such as 2s"]),
    ("http", {**GOOD, "poll": {"url": "https://x.example/{id}", "stat": "x"}}, ['poll.stat: is not a key of a job of kind http; did you mean "state"?']),
    ("http", {**GOOD, "poll": {"url": "https://x.example/{id}", "failed": "succeeded"}}, ["poll: succeeded cannot mean both done and failed"]),
    ("http", {**GOOD, "poll": {"url": "https://x.example/{id}", "failed": "cancelled"}}, ["poll: cancelled cannot mean both failed and cancelled"]),
    ("http", {**GOOD, "log": "https://x.example/{id}"}, ["log: needs poll, which says what a run is and how it ends"]),
    ("http", {**FOLLOWED, "log": "https://x.example/{seller_id}"}, ["log: needs {id}, which says of which run it is", "log: knows {id} only, not {seller_id}"]),
    ("http", {**FOLLOWED, "cancel": {"url": "x.example/{id}"}}, ["cancel.url: must begin with https:// or a ${VARIABLE} that does, not 'x.example/{id}'"]),
    ("http", {**FOLLOWED, "cancel": "https://x.example/{id}"}, ["cancel: must be a mapping with url and method"]),
    ("http", {**FOLLOWED, "runs": {"url": "https://x.example/{id}"}}, ["runs.url: is of no one run and takes no {id}"]),
    ("http", CALLED, ["called_back: is missing; without it there is no {callback} (write called_back: {})"]),
    ("http", {**GOOD, "called_back": {}}, ["called_back: needs {callback} in url or body, which is the address to call"]),
    ("http", {**CALLED, "called_back": True}, ["called_back: must be a mapping with state, done, failed, …, or {}"]),
    ("http", {**CALLED, "called_back": {"sate": "x"}}, ['called_back.sate: is not a key of a job of kind http; did you mean "state"?']),
    ("http", {**CALLED, "called_back": {"done": "failed"}}, ["called_back: failed cannot mean both done and failed"]),
    ("http", {**CALLED, "called_back": {}, "log": "https://x.example/{id}"}, ["log: needs poll, which says what a run is and how it ends"]),
    ("http", {**GOOD, "poll": True}, ["poll: must be a mapping with url, id, state, …"]),
    ("sql", {"url": "x.db", "statement": HELD}, ["url: must be an address such as postgresql://… or a ${VARIABLE}, not 'x.db'"]),
    ("sql", {"url": "${A}", "statement": HELD + "; DELETE FROM h"}, ["statement: must be a single one; make a job of each"]),
    ("sql", {"url": "${A}", "statement": "INSERT INTO h VALUES (':seller_id', :seller_id)"}, ["statement: ':seller_id' in quotes is only text; write :seller_id without them"]),
    ("sql", {"url": "${A}", "statement": "DELETE FROM h WHERE s = {seller_id}"}, ["statement: values are bound, never written in: :name in place of {seller_id}", "params.seller_id: the job asks for it and does not use it"]),
    ("sql", {"url": "${A}", "statement": "DELETE FROM h WHERE s = :seler_id OR t = :seller_id"}, ['statement: there is no parameter "seler_id"; did you mean "seller_id"?']),
    ("sql", {"url": "${A}", "statement": HELD, "idempotent": "perhaps"}, ["idempotent: must be true or false"]),
    ("command", {}, ["command: is missing; a job of kind command needs it"]),
    ("command", {"command": "rm {seller_id}"}, ["command: must be a list of texts: the program, then each argument; no shell reads it"]),
    ("command", {"command": []}, ["command: must be a list of texts: the program, then each argument; no shell reads it"]),
    ("command", {"command": ["run", True, "{seller_id}"]}, ['command[2]: must be text; put quotes around it: "true"']),
    ("command", {"command": ["{seller_id}"]}, ["command: a parameter or a variable cannot choose the program; write its name first"]),
    ("command", {"command": ["${RUN}", "{seller_id}"]}, ["command: a parameter or a variable cannot choose the program; write its name first", "command: everybody on the host sees arguments; hand ${VARIABLES} over by environment"]),
    ("command", {"command": ["run", "--key=${KEY}", "{seller_id}"]}, ["command: everybody on the host sees arguments; hand ${VARIABLES} over by environment"]),
    ("command", {"command": ["run", "--{seller_id}"]}, ["command: a parameter cannot choose an option: --name={value}, not '--{seller_id}'"]),
    ("command", {"command": ["run", "-f{seller_id}"]}, ["command: a parameter cannot choose an option: --name={value}, not '-f{seller_id}'"]),
    ("command", {"command": ["bash", "-c", "rm {seller_id}"]}, ["command: 'rm {seller_id}' would choose what bash runs; give it after that"]),
    ("command", {"command": ["/usr/bin/python3.11", "-c", "print('{seller_id}')"]}, ["command: \"print('{seller_id}')\" would choose what python runs; give it after that"]),
    ("command", {"command": ["bash", "-e", "{seller_id}"]}, ["command: '{seller_id}' would choose what bash runs; give it after that"]),
    ("command", {"command": ["python", "-m", "{seller_id}"]}, ["command: '{seller_id}' would choose what python runs; give it after that"]),
    ("command", {"command": ["perl", "{seller_id}.pl"]}, ["command: '{seller_id}.pl' would choose what perl runs; give it after that"]),
    ("command", {"command": ["psql", "shop", "-c", "DELETE {seller_id}"]}, ["command: 'DELETE {seller_id}' would choose what psql runs; give it after that"]),
    ("command", {"command": ["env", "{seller_id}"]}, ["command: env starts another program, which a parameter could choose; name that one"]),
    ("command", {"command": ["run", "{selr_id}"]}, ['command: there is no parameter "selr_id"; did you mean "seller_id"?', "params.seller_id: the job asks for it and does not use it"]),
    ("command", {"command": ["run", "{seller_id}"], "foldr": "x"}, ['foldr: is not a key of a job of kind command; did you mean "folder"?']),
    ("command", {"command": ["run", "{seller_id}"], "folder": "{seller_id}"}, ["folder: is a path as it stands, with no parameters and no ${VARIABLES}"]),
    ("command", {"command": ["run", "{seller_id}"], "environment": {"A": "{seller_id}", "B C": "x"}}, ["environment.A: takes ${VARIABLES} only; hand parameters over as arguments", "environment.B C: is not a name that a variable can have"]),
    ("command", {"command": ["run", "{seller_id}"], "environment": {"A": 3}}, ['environment.A: must be text; put quotes around it: "3"']),
    ("dbt", {}, ["project: name dbt's folder (dbt Core), or else url, account, job and token (dbt Cloud)"]),
    ("dbt", {"project": "a", "url": "https://x.example"}, ["project: name dbt's folder (dbt Core), or else url, account, job and token (dbt Cloud)"]),
    ("dbt", {"project": "a", "exclud": 1, "envs": {}, "select": "{seller_id}"}, ['exclud: is not a key of a job of kind dbt; did you mean "exclude"?', "envs: is not a key of a job of kind dbt; it takes command, select, exclude, vars, full_refresh, project, profiles, target, program, environment, url, account, job, token"]),
    ("dbt", {"url": "${U}", "account": 1, "job": 2.5, "token": "${T}", "vars": {"s": "{seller_id}"}}, ["job: must be a number or a ${VARIABLE}"]),
    ("dbt", {"project": "a", "job": 3, "select": "{seller_id}"}, ["job: is not for dbt Core"]),
    ("dbt", {"project": "a", "command": "biuld", "select": "{seller_id}"}, ["command: must be one of build, run, test, seed, snapshot, compile, parse, source freshness, clone; did you mean \"build\"?"]),
    ("dbt", {"project": "a", "vars": {"day": "{selr_id}"}}, ['vars: there is no parameter "selr_id"; did you mean "seller_id"?', "params.seller_id: the job asks for it and does not use it"]),
    ("dbt", {"project": "${A}", "select": "{seller_id}"}, ["project: is a path as it stands, with no parameters and no ${VARIABLES}"]),
    ("dbt", {"project": "a", "target": "--x", "select": "{seller_id}"}, ["target: must be the name of a target in profiles.yml"]),
    ("dbt", {"project": "a", "selct": "{seller_id}"}, ['selct: is not a key of a job of kind dbt; did you mean "select"?']),
    ("dbt", {"project": "a", "select": 3}, ["select: must be a selector of dbt, or a list of them"]),
    ("dbt", {"url": "x.example", "select": "{seller_id}"}, ["url: must begin with https:// or a ${VARIABLE} that does, not 'x.example'", "account: is missing; it is the number in the address of the job in dbt Cloud", "job: is missing; it is the number in the address of the job in dbt Cloud", "token: a secret stands in the environment only; write ${DBT_TOKEN}"]),
    ("dbt", {"url": "${U}", "account": 1, "job": "a/b", "token": "${T}", "vars": {"s": "{seller_id}"}}, ["job: must be a number or a ${VARIABLE}, not 'a/b'"]),
    ("dbt", {"url": "${U}", "account": 1, "job": 2, "token": "dbtu_123", "vars": {"s": "{seller_id}"}}, ["token: a secret stands in the environment only; write ${DBT_TOKEN}"]),
    ("sagemaker", {}, ["starts: is missing; a job of kind sagemaker needs it", "request: is missing; a job of kind sagemaker needs it"]),
    ("sagemaker", {**SCORE, "starts": "trainin"}, ["starts: must be training, processing or pipeline"]),
    ("sagemaker", {**SCORE, "reqest": 1}, ['reqest: is not a key of a job of kind sagemaker; did you mean "request"?']),
    ("sagemaker", {**SCORE, "region": "{seller_id}"}, ["region: takes ${VARIABLES} only, no parameters"]),
    ("sagemaker", {**SCORE, "prefix": "risk_train"}, ["prefix: must be at most 31 letters, digits and single hyphens, not 'risk_train'"]),
    ("sagemaker", {"starts": "pipeline", "request": {}}, ["params.seller_id: the job asks for it and does not use it", "request.PipelineName: is missing; SageMaker needs it"]),
    ("sagemaker", {**SCORE, "request": {**PIPE, "ClientRequestToken": "x"}}, ["request.ClientRequestToken: Patrol gives it, so that a run is begun once; name its beginning by prefix"]),
    ("sagemaker", {**SCORE, "request": {**PIPE, "PipelineName": "{seller_id}"}}, ["request.PipelineName: is the same for every start; a parameter cannot choose it"]),
    ("sagemaker", {**SCORE, "request": {**PIPE, "PipelineNam": "x"}}, ['request.PipelineNam: SageMaker knows no such key here; did you mean "PipelineName"?']),
    ("sagemaker", {**SCORE, "request": {**PIPE, "PipelineName": "risk rescore"}}, ["request.PipelineName: must match"]),
    ("sagemaker", {**SCORE, "request": {"PipelineName": "r", "PipelineParameters": {"Seller": "{seller_id}"}}}, ["request.PipelineParameters: must be a list"]),
    ("sagemaker", {**SCORE, "request": {**PIPE, "ParallelismConfiguration": {"MaxParallelExecutionSteps": 0}}}, ["request.ParallelismConfiguration.MaxParallelExecutionSteps: must be at least 1, not 0"]),
    ("sagemaker", {**SCORE, "request": {**PIPE, "ParallelismConfiguration": {"MaxParallelExecutionSteps": "two"}}}, ["request.ParallelismConfiguration.MaxParallelExecutionSteps: must be a whole number"]),
    ("sagemaker", {"starts": "training", "request": {**FIT, "ResourceConfig": {"InstanceType": "ml.m5.larg", "VolumeSizeInGB": 1}}}, ['request.ResourceConfig.InstanceType: SageMaker does not know "ml.m5.larg"; did you mean "ml.m5.large"?']),
    ("sagemaker", {"starts": "training", "request": {**FIT, "RoleArn": "sagemaker"}}, ["request.RoleArn: must be at least 20 characters, not 9", "request.RoleArn: must match"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "config", "sentences"), MISTAKES)
def test_each_mistake_has_its_sentence(kind: str, config: dict[str, Any], sentences: list[str]) -> None:
    found = told(kind, **config)
    assert len(found) == len(sentences), found
    for one, sentence in zip(found, sentences, strict=True):  # a pattern of Amazon's is not written out again
        assert one.startswith(sentence) if sentence.endswith("must match") else one == sentence


@pytest.mark.parametrize("name", sorted(yaml.safe_load(JOBS.read_text())))
def test_the_jobs_of_this_project_have_no_problem(name: str) -> None:
    declared = yaml.safe_load(JOBS.read_text())[name]
    config = {key: value for key, value in declared.items() if key not in NOT_CONFIG}
    assert told(declared["kind"], tuple(Param(p) for p in declared.get("params", {})), **config) == []


def test_the_jobs_of_the_guide_have_no_problem() -> None:
    shown = re.findall(r"<!-- jobs -->\n```yaml\n(.*?)```", (ROOT / "docs/jobs.md").read_text(), re.DOTALL)
    told = {name: entry for block in shown for name, entry in yaml.safe_load(block).items()}
    assert {"command", "dbt"} <= {entry["kind"] for entry in told.values()}
    for name, entry in told.items():
        assert problems(JobFile.model_validate(entry).value(name)) == [], name


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_and_the_kind_know_the_same_keys(kind: str) -> None:
    needed, others = JOB_KEYS[kind]
    fields = import_module(f"bot.jobs.config.{kind}").Config.model_fields
    assert {*needed, *others} == {*fields}
    assert {*needed} == {name for name, field in fields.items() if field.is_required()}


def test_a_schedule_over_there_is_named_where_the_kind_has_such() -> None:
    entry = {"title": "X", "kind": "sagemaker", "owner": "payments", "starts": "pipeline", "request": {}}
    entry["request"] = {"PipelineName": "risk"}
    named = JobFile.model_validate({**entry, "schedule": "nightly"}).value("x")
    assert (named.config["schedule"], named.schedule, named.outside) == ("nightly", None, True)
    timed = {"name": "nightly", "cron": "0 2 * * *"}
    expected = JobFile.model_validate({**entry, "schedule": timed, "late_after": "1h"}).value("x")
    assert (expected.config["schedule"], expected.outside) == ("nightly", True)
    assert expected.schedule == Cron("0 2 * * *")
    with pytest.raises(ValidationError, match="has no schedule by name"):
        JobFile.model_validate(
            {**entry, **GOOD, "kind": "http", "params": {"seller_id": {}}, "schedule": "x"}
        )
