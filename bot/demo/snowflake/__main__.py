"""`python -m bot.demo.snowflake`: a Snowflake of one's own on 127.0.0.1, until told to stop."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import uvicorn
from fakesnow.instance import FakeSnow

from bot.demo.snowflake.mended import mend
from bot.demo.snowflake.server import Server


def main() -> int:
    given = _arguments()
    mend()
    fake = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
    key = given.public_key.read_text() if given.public_key else ""
    try:
        listener = socket.create_server(("127.0.0.1", given.port))
    except OSError as error:
        print(f"the local Snowflake cannot start: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(Server(fake, key).app(), log_level="error", access_log=False, lifespan="off")
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.demo.snowflake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--public-key", type=Path, help="of the user patrol, for key-pair logins (PEM)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
