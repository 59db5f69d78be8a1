"""A Slack of our own on this machine: Web API, Socket Mode, a page in the browser, and faults on demand.

Imports nothing else of Patrol; to the bot it is just another address of Slack.
"""

from bot.sandbox.client import Refused, SandboxClient
from bot.sandbox.seed import CHANNELS, PEOPLE, Seed
from bot.sandbox.server import Options, Sandbox, create_app, run

__all__ = [
    "CHANNELS",
    "PEOPLE",
    "Options",
    "Refused",
    "Sandbox",
    "SandboxClient",
    "Seed",
    "create_app",
    "run",
]
