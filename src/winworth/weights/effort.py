"""How much is done to know how surely the criteria weigh what they weigh."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`n_boot` draws of accounts (0 leaves the doubt unmeasured), `n_shadows` repeats of what noise would weigh, `n_repeats`
    partitions into folds, and `most_asked` training rows that answer attributions for their slopes.
    """

    __pydantic_config__ = {"extra": "forbid"}

    n_boot: int = 200
    n_shadows: int = 20
    n_repeats: int = 2
    most_asked: int = 10_000

    def __post_init__(self):
        if self.n_boot != 0 and self.n_boot < 10:
            raise ValueError(f"n_boot is {self.n_boot}; it must be at least 10, or 0 to leave the doubt unmeasured")
        if self.n_shadows < 1 or self.n_repeats < 1:
            raise ValueError("n_shadows and n_repeats must be at least 1")
        if self.most_asked < 500:
            raise ValueError(f"most_asked is {self.most_asked}; at least 500 rows are needed to tell slopes")
