"""A quarter's training on a large history: where the time goes, and what it takes in memory.

python bench/training.py                     # 40,000 deals, 50 draws of accounts as in conf/
python bench/training.py --n-boot 200 --deals 40_000 --profile
"""

import argparse
import cProfile
import pstats
import resource
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from winworth.config import load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.train import train

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[1] / "conf"


def main() -> None:
    """Draw a company, train on its exports, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, default=40_000)
    parser.add_argument("--n-boot", type=int, default=50)
    parser.add_argument("--profile", action="store_true", help="also print the functions that take longest")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = software_company(n_deals=asked.deals, as_of=AS_OF, seed=1)
        print(", ".join(f"{len(frame):,} {name}" for name, frame in world.tables.items()), flush=True)
        write_exports(world, Path(folder) / "exports")
        del world
        settings = load_settings(CONF)
        weights = replace(settings.training.weights, n_boot=asked.n_boot)
        crm, training = replace(settings.crm, folder=f"{folder}/exports"), replace(settings.training, weights=weights)
        settings = replace(settings, crm=crm, training=training)
        profile, start = cProfile.Profile(), time.perf_counter()
        run = profile.runcall if asked.profile else lambda made, *given, **named: made(*given, **named)
        run(train, settings, as_of=AS_OF, home=Path(folder))
        wall, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{asked.deals:,} deals, {asked.n_boot} draws: {wall:.0f} s, {time.process_time():.0f} s of CPU, {peak:,.0f} MB")
        if asked.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats("winworth/", 40)


if __name__ == "__main__":
    main()
