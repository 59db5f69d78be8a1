"""How AWS is asked: by botocore, with the credentials and addresses that it finds itself, and its errors in
our two words. The library is imported when it is first needed, since that takes longer than all the rest."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.jobs.answer import one_line
from bot.process.errors import JobRefused, JobUnknown

MISSING = "the client for SageMaker is not installed: pip install 'patrol[sagemaker]'"
NAMES = {"sagemaker": "SageMaker", "logs": "CloudWatch Logs", "scheduler": "EventBridge Scheduler"}
PASSING = ("throttl", "toomanyrequests", "requestlimitexceeded", "unavailable", "internal", "requesttimeout")
PASSED = ("ExpiredToken", "ExpiredTokenException")  # of credentials; newer ones are looked for
GONE = ("ResourceNotFound", "ResourceNotFoundException")
CONSOLES = {
    "aws": "https://{region}.console.aws.amazon.com",
    "aws-cn": "https://{region}.console.amazonaws.cn",
    "aws-us-gov": "https://{region}.console.amazonaws-us-gov.com",
}


class Refused(JobRefused):
    """A no of AWS. `code` is its own word for it, such as ResourceInUse."""

    code = ""


@dataclass
class Clients:
    """One client for each service, region and patience; they are kept, and shared by threads."""

    _kept: dict[tuple[str, str | None, float], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _session: Any = None

    def of(self, service: str, region: str | None, limit: timedelta) -> Any:
        """JobRefused where the library, or a word about the region, is missing."""
        key = (service, region, limit.total_seconds())
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._made(*key)
            return self._kept[key]

    def forget(self) -> None:
        """What was found out about credentials is looked for again."""
        with self._lock:
            self._kept.clear()
            self._session = None

    def _made(self, service: str, region: str | None, seconds: float) -> Any:
        try:
            import botocore.session
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, NoRegionError
        except ImportError:
            raise JobRefused(f"Patrol cannot ask SageMaker here: {MISSING}.") from None
        self._session = self._session or botocore.session.Session()
        # Patrol itself tries again, after the same key or the same question.
        manners = Config(
            connect_timeout=min(5.0, seconds),
            read_timeout=seconds,
            retries={"total_max_attempts": 1},
            user_agent_extra="Patrol",
        )
        try:
            return self._session.create_client(service, region_name=region, config=manners)
        except NoRegionError:
            raise JobRefused(
                "AWS was not asked: no region is said. Write region: eu-west-1 into the job,"
                " or set AWS_DEFAULT_REGION where Patrol runs."
            ) from None
        except (BotoCoreError, ValueError) as error:
            raise JobRefused(f"AWS cannot be asked so: {one_line(error, 200)}") from None


@dataclass(frozen=True)
class Aws:
    """One region, asked with one patience."""

    clients: Clients
    region: str | None
    limit: timedelta

    def ask(self, service: str, operation: str, **request: Any) -> Mapping[str, Any]:
        """AWS's answer. Refused where it is a no, JobUnknown where none came or it is to be asked again."""
        client = self.clients.of(service, self.region, self.limit)
        from botocore import exceptions as its
        from botocore import xform_name

        try:
            found: Mapping[str, Any] = getattr(client, xform_name(operation))(**request)
            return found
        except its.ClientError as error:
            if error.response.get("Error", {}).get("Code") in PASSED:
                self.clients.forget()
            raise _spoken(NAMES[service], error.response) from None
        except (
            *(its.NoCredentialsError, its.PartialCredentialsError, its.CredentialRetrievalError),
            *(its.SSOError, its.TokenRetrievalError),
        ) as error:
            self.clients.forget()
            raise JobRefused(
                f"There are no AWS credentials where Patrol runs ({one_line(error, 100)}). Give its host a"
                " role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from None
        except its.ParamValidationError as error:
            said = one_line(error.kwargs.get("report", error), 300)
            raise Refused(f"{NAMES[service]} was not asked: {said}.") from None
        except its.ReadTimeoutError:
            raise JobUnknown(
                f"{NAMES[service]} did not answer within {self.limit.total_seconds():g} s."
            ) from None
        except (its.HTTPClientError, its.ConnectionError) as error:
            raise JobUnknown(f"{NAMES[service]} could not be reached: {one_line(error, 150)}.") from None
        except its.BotoCoreError as error:
            raise JobUnknown(f"{NAMES[service]}'s answer was not one: {one_line(error, 150)}.") from None

    def console(self, page: str) -> str | None:
        """The address of a page of the console in this region, None where that is not known."""
        meta = self.clients.of("sagemaker", self.region, self.limit).meta
        host = CONSOLES.get(meta.partition)
        if host is None:
            return None
        return f"{host.format(region=meta.region_name)}/sagemaker/home?region={meta.region_name}#{page}"


def answered_at(found: Mapping[str, Any]) -> datetime | None:
    """When AWS answered, by its own clock, which is also the one of its records."""
    said = found.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    with suppress(TypeError, ValueError):
        return parsedate_to_datetime(said).astimezone(UTC)
    return None


def _spoken(name: str, response: Mapping[str, Any]) -> JobRefused | JobUnknown:
    error, status = response.get("Error", {}), response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = one_line(error.get("Code", ""), 80)
    said = one_line(error.get("Message") or error.get("message") or code, 300).rstrip(".")
    said = code if said.startswith("<") else said  # a page for people, of what stands before AWS
    if status == 429 or status >= 500 or code in PASSED or any(word in code.lower() for word in PASSING):
        return JobUnknown(f"{name} answered {status}: {said or code}.")
    refused = Refused(f"{name} refused: {said}.")
    refused.code = code
    return refused
