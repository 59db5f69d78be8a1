"""Has files read elsewhere, in a process that ends with it: what only reading needs, as SQL's parser and what
checks YAML, is never held by a process that goes on for weeks. `python -m sensors.apart` is that process.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from sensors.lean import lean
from sensors.model.asset import Asset
from sensors.model.policy import Policy
from sensors.reading import Here, Read, ReadingFailed, Wanted, shelf_of
from sensors.warehouse import spelled

WITHIN_S = 300.0  # for all files: a hundred times what a thousand policies take
WAITS_S = 60  # for its work: a process that was begun ahead of it is not kept for ever
CODE = Path(__file__).parents[1]
SAID = 2000  # characters of what it said last


class Apart:
    """A `Reader` in a process of its own for each thing to be read. Thread-safe."""

    def __init__(self, within_s: float = WITHIN_S) -> None:
        self._within_s = within_s
        self._begun: _Child | None = None
        self._at_it: set[_Child] = set()
        self._closed = False

    def begin(self, project: Path) -> None:
        """Starts the process ahead of its work, so that it is ready when the work is known."""
        with suppress(OSError):  # whoever brings the work is told
            self._begun = _Child(str(shelf_of(project)))

    def read(self, wanted: Wanted) -> Read:
        found: Read = self._done("read", wanted)
        return found

    def earlier(self, policy: Policy, body: str, assets: Mapping[str, Asset], dialect: str) -> Policy | None:
        found: Policy | None = self._done("earlier", policy, body, assets, dialect)
        return found

    def close(self) -> None:
        """Ends what has not ended, and what comes yet: nobody waits for it any more."""
        self._closed = True
        begun, self._begun = self._begun, None
        for child in (*self._at_it, *((begun,) if begun else ())):
            child.kill()

    def _done(self, *work: object) -> Any:
        begun, self._begun = self._begun, None
        if begun and begun.waits:
            with suppress(OSError, _GaveUp):
                return self._by(begun, work)
        try:
            return self._by(_Child(), work)
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise ReadingFailed(f"the process that reads them cannot be started ({said})") from None

    def _by(self, child: _Child, work: object) -> Any:
        """What it gave. Queries that it spelled on the way are known here, too."""
        self._at_it.add(child)
        if self._closed:
            child.kill()
        try:
            child.send(work)
            given, texts = child.answer(self._within_s)
        finally:
            self._at_it.discard(child)
        spelled.everything().update(texts)
        return given


class _GaveUp(ReadingFailed):
    """It had waited long enough for its work, and ended just as that came."""


class _Child:
    """One process, for one piece of work. `shelf`: what was proved earlier, to be taken in ahead."""

    def __init__(self, *shelf: str) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 - it lives as long as this
        path = os.pathsep.join(filter(None, (str(CODE), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sensors.apart", *shelf],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._late = False

    @property
    def waits(self) -> bool:
        return self._process.poll() is None

    def send(self, work: object) -> None:
        with _pipe(self._process.stdin) as pipe:
            pickle.dump(work, pipe, protocol=5)

    def answer(self, within_s: float) -> Any:
        watch = threading.Thread(target=self._watch, args=(within_s,), name="apart", daemon=True)
        watch.start()
        with _pipe(self._process.stdout) as pipe:
            try:
                done, said = pickle.load(pipe)
            except (EOFError, pickle.UnpicklingError):
                watch.join()
                failed = ReadingFailed if self._process.returncode else _GaveUp
                raise failed(self._why(within_s), self._said()) from None
        if not done:
            raise ReadingFailed(f"reading them broke inside Patrol ({said}); please report it", self._said())
        return said

    def kill(self) -> None:
        self._process.kill()

    def _watch(self, within_s: float) -> None:
        """Ends it when its time is over; and takes note of its end, so that it does not stay as a zombie."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._late = True
            self._process.kill()
            self._process.wait()

    def _why(self, within_s: float) -> str:
        code = self._process.returncode
        if self._late:
            return f"the process that reads them had not ended after {within_s:g} s and was stopped"
        if code == -signal.SIGKILL:
            return "the process that reads them was killed (SIGKILL): most likely there was no memory left"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"the process that reads them ended {how} before it was done"

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-SAID:].strip()


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None
    return end


def main() -> None:
    """Does one thing that a `Reader` does: in come its name and what it is given, out goes the answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed is no answer
    here = _prepared(*map(Path, sys.argv[1:]))
    if not select.select([0], [], [], WAITS_S)[0]:
        return
    try:
        name, *given = pickle.load(sys.stdin.buffer)
    except EOFError:
        return  # who started us is gone, or has no work
    with answers, suppress(BrokenPipeError):
        pickle.dump(_answer(here, name, given), answers, protocol=5)


def _prepared(*shelf: Path) -> Here:
    """Does ahead what all reading begins with."""
    import_module("sensors.catalog")
    from sensors.shelf import recall

    return Here(recalled=any(map(recall, shelf)))


def _answer(here: Here, name: str, given: list[Any]) -> tuple[bool, Any]:
    try:
        found = getattr(here, name)(*given)
    except Exception as error:
        traceback.print_exc()
        return False, f"{type(error).__name__}: {error}"[:500]
    if isinstance(found, Read):
        found = replace(found, catalog=lean(found.catalog))
    return True, (found, _spelled(found))


def _spelled(found: Read | Policy | None) -> spelled.Spelled:
    """The queries of what was found, as they were spelled; by the very texts that the policies hold."""
    policies = found.catalog.policies.values() if isinstance(found, Read) else [found] if found else []
    texts = {t: t for one in policies for t in (one.query.sql, *one.query.native.values())}
    known = {key: text for key, text in spelled.everything().items() if key[0] in texts}
    return {(texts[sql], read, write): text for (sql, read, write), text in known.items()}


if __name__ == "__main__":
    main()
