"""How the store keeps values: as the core's records are written, see `bot/core/record.py`."""

from bot.core.record import decode, encode, microseconds, pack, pack_values, unpack, unpack_values

__all__ = ["decode", "encode", "microseconds", "pack", "pack_values", "unpack", "unpack_values"]
