"""How much is done to know how surely the criteria weigh what they weigh."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`n_boot` draws of accounts (0 leaves the doubt unmeasured), `n_shadows` repeats of what noise would weigh, and
    `n_repeats` partitions into folds.
    """

    __pydantic_config__ = {"extra": "forbid"}

    n_boot: int = 200
    n_shadows: int = 20
    n_repeats: int = 2

    def __post_init__(self):
        if self.n_boot != 0 and self.n_boot < 10:
            raise ValueError(f"n_boot is {self.n_boot}; it must be at least 10, or 0 to leave the doubt unmeasured")
        if self.n_shadows < 1 or self.n_repeats < 1:
            raise ValueError("n_shadows and n_repeats must be at least 1")
