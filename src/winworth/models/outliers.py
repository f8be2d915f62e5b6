"""One mistyped amount must not move every other value: logs of money are held within reason of their median."""

import numpy as np

FAR = 4.0


def held_within_reason(logs: np.ndarray) -> np.ndarray:
    """Hold log values within `FAR` robust deviations (1.4826 x median absolute deviation) of their median.

    >>> held_within_reason(np.array([1.0, 2.0, 3.0, 4.0, 90.0])).round(2).tolist()
    [1.0, 2.0, 3.0, 4.0, 8.93]
    """
    centre = np.median(logs)
    reach = FAR * 1.4826 * np.median(np.abs(logs - centre))
    return np.clip(logs, centre - reach, centre + reach) if reach > 0 else logs
