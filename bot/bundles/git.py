"""The `git` program, asked for one branch's plain files: no prompt, no hook, no submodule, no link."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.process.errors import PullFailed

TIMEOUT_S = 45.0
MOST_BYTES = 200_000_000  # of a commit as it is sent; a repository of policies has a thousandth of it
REF = "refs/patrol/newest"
SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "submodule.recurse=false"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.recurseSubmodules=false"),
    *("-c", "fetch.unpackLimit=1", "-c", "core.bigFileThreshold=1m", "-c", "fetch.fsckObjects=true"),
    *("-c", "fetch.fsck.zeroPaddedFilemode=ignore", "-c", "http.followRedirects=false"),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20"),
)
# What git may see of this process's environment: no secret of Patrol's is among it.
SEEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|TZ|SSH_AUTH_SOCK|SSL_CERT_\w+|CURL_CA_BUNDLE|XDG_CONFIG_HOME"
    r"|GIT_SSL_\w+|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|GIT_EXEC_PATH|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY"
)
NEVER = threading.Event()


@dataclass(frozen=True)
class Origin:
    """A branch of a repository, and what opens it."""

    url: str
    branch: str
    token: str | None = None  # sent to an http address as the password; stands in no argument

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    @property
    def bare(self) -> str:
        """The address without a user, whom the header names."""
        return re.sub(r"(?<=://)[^/@]*@", "", self.url) if self.token else self.url


@dataclass(frozen=True)
class Git:
    """The program; it ends within `timeout_s`, or when `stopping` is set, with all that it has started."""

    origin: Origin
    stopping: threading.Event = NEVER
    timeout_s: float = TIMEOUT_S

    def newest(self) -> str:
        """The branch's newest commit. PullFailed says why it cannot be had."""
        said = self.run(("ls-remote", "--", self.origin.bare, self.origin.ref)).decode(errors="replace")
        if not (found := re.match(r"([0-9a-f]{40,64})\s", said)):
            raise PullFailed(f"there is no branch {self.origin.branch} there")
        return found[1]

    def fetch(self, repo: Path) -> str:
        """Brings the branch's newest commit, without its past, into a new repository without files."""
        self.run(("init", "--quiet", "--bare", "--template=", str(repo)))
        depth = ("--depth=1", "--no-tags", "--no-write-fetch-head")
        self.run(("fetch", "--quiet", *depth, "--", self.origin.bare, f"+{self.origin.ref}:{REF}"), repo)
        return self.run(("rev-parse", "--verify", f"{REF}^{{commit}}"), repo).decode().strip()

    def run(self, words: Sequence[str], repo: Path | None = None, given: bytes = b"") -> bytes:
        """What git prints; PullFailed in plain words where it fails."""
        # The limit of a file's size is the limit of what a repository can make this disk hold.
        limited = f'ulimit -f {MOST_BYTES // 512} && exec git "$@"'
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", limited, "git", *SAFE, *words],
                cwd=repo,
                env=_environment(self.origin, os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise PullFailed(
                f"git cannot be started: {(error.strerror or 'no reason given').lower()}"
            ) from None
        try:
            out, err = self._ended(process, given)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        if process.returncode:
            raise PullFailed(_why(err.decode(errors="replace"), self.origin))
        return out

    def _ended(self, process: subprocess.Popen[bytes], given: bytes) -> tuple[bytes, bytes]:
        until, send = time.monotonic() + self.timeout_s, given or None
        while time.monotonic() < until:
            try:
                return process.communicate(send, timeout=0.2)
            except subprocess.TimeoutExpired:
                send = None  # it goes on with what it was given
                if self.stopping.is_set():
                    raise PullFailed("Patrol was about to end") from None
        raise PullFailed(f"it was not done within {self.timeout_s:g} seconds")


def _environment(origin: Origin, outside: Mapping[str, str]) -> dict[str, str]:
    """Of the process only what git needs, and nothing that would have it ask a question."""
    kept = {name: value for name, value in outside.items() if SEEN.fullmatch(name)}
    kept |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_SSH_COMMAND": outside.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=15"),
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }
    if origin.token:
        user = urlsplit(origin.url).username or "x-access-token"
        secret = base64.b64encode(f"{user}:{origin.token}".encode()).decode()
        kept |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{origin.bare}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {secret}",
        }
    return kept


WHYS = {  # how git, curl and ssh say it → how we do
    r"git: (command )?not found|exec: git": "the program git is not installed on this machine",
    r"couldn't find remote ref": "there is no branch {branch} there",
    r"resolve host|service not known|failure in name": "its host is not known: no network, or misspelt",
    r"error: 30[1278]|redirect": "it has moved: write its new address",
    r"onnection (refused|timed out|reset|closed)|onnect to|unreachable|timed out|too slow": (
        "its host does not answer"
    ),
    r"uthentication failed|could not read (User|Pass)|prompts disabled|error: 40[13]|Access denied": (
        "it does not let us in: give it a token that may read it"
    ),
    r"Permission denied \(": "it does not let us in: its host does not know our SSH key",
    r"Host key verification failed": "its host's SSH key is not known here: put it into known_hosts",
    r"dubious ownership": "it belongs to another user of this machine: name it in git's safe.directory",
    r"No space left|quota": "there is no room on the disk",
    r"SSL|certificate": "its certificate is not trusted here",
    r"transport '.*' not allowed": "its address must begin with https://, ssh:// or file://",
    r"fsck|corrupt|malformed": "its objects are damaged, or not what git would write",
    r"not found|does not exist|not appear to be a git|No such file": "there is no such repository",
    # Last, for git says no more of it when the limit of a file's size has ended its child.
    r"invalid index-pack output|File size limit": f"it is larger than {MOST_BYTES // 1_000_000} MB",
}  # fmt: skip


def _why(said: str, origin: Origin) -> str:
    """In our words where the reason is known; else git's last line, without what may be a secret."""
    for pattern, words in WHYS.items():
        if re.search(pattern, said, re.IGNORECASE):
            return words.format(branch=origin.branch)
    last = (said.strip().splitlines() or ["nothing"])[-1]
    if origin.token:
        last = last.replace(origin.token, "…")
    return f"git says: {re.sub(r'://[^/@ ]*@', '://…@', last)[:200]}"
