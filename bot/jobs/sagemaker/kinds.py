"""What can be started in SageMaker, by the word for it in a job's declaration."""

from __future__ import annotations

from collections.abc import Mapping

from bot.jobs.sagemaker.pipeline import PIPELINE, Pipeline
from bot.jobs.sagemaker.single import PROCESSING, TRAINING, Single

KINDS: Mapping[str, Single | Pipeline] = {
    "training": TRAINING,
    "processing": PROCESSING,
    "pipeline": PIPELINE,
}
