"""`python -m bot.demo.snowflake`: a Snowflake of one's own on 127.0.0.1, until told to stop."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import uvicorn
from fakesnow.instance import FakeSnow

from bot.demo.snowflake import altered
from bot.demo.snowflake.following import Following
from bot.demo.snowflake.mended import mend, seal
from bot.demo.snowflake.server import Server


def main() -> int:
    given = _arguments()
    mend()
    fake = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
    key = given.public_key.read_text() if given.public_key else ""
    try:
        listener = _listen(given.port)
    except OSError as error:
        print(f"the local Snowflake cannot start: {error}", file=sys.stderr)
        return 1
    altered.begin(fake.duck_conn)
    seal(fake, given.market)
    if given.market:
        Following(fake, given.market).begin()
    config = uvicorn.Config(Server(fake, key).app(), log_level="error", access_log=False, lifespan="off")
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(port: int) -> socket.socket:
    """Named as TCP, or asyncio leaves Nagle's algorithm on, and each answer takes 40 ms longer."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.demo.snowflake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--market", type=Path, help="a folder of the marketplace's, served as MARKET")
    parser.add_argument("--public-key", type=Path, help="of the user patrol, for key-pair logins (PEM)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
