"""A catalog that still knows its bundles one by one, their texts, and where its entries stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sensors.model.catalog import Catalog
from sensors.yaml_marks import Document


@dataclass(frozen=True)
class Loaded(Catalog):
    """Of one bundle, or of all together; then `parts` are these, by name."""

    documents: Mapping[str, Document] = field(default_factory=dict, compare=False, repr=False)  # by path
    parts: Mapping[str, Loaded] = field(default_factory=dict, compare=False, repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)  # by path in the bundle
    bad: frozenset[str] = field(default=frozenset(), compare=False)  # those of these paths that are not good
