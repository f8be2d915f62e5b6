"""Scoring many rows: a winworth version beside the usual pipeline, and `predict` in parts beside all at once.

`rows`: a Parquet file of features becomes a Parquet file of win probability, value, expected value and score. Ours streams
row groups through the version of a demonstrated home (two models averaged with ridges, scorecard). The usual way is a
scikit-learn pipeline with LightGBM for winning and another for worth, logged to MLflow, loaded as pyfunc, applied to the whole
frame; the strong rival is `Booster.predict` on prepared numbers, a chunk at a time, with no table around it.

`accounts`: the demo's extract, repeated under new ids as Parquet, scored whole and in parts of 5,000.

Each side is a fresh process, taking turns; wall and peak memory are medians.

    make demo && python bench/predict.py rows --n 1_000_000 --runs 5
    make demo && python bench/predict.py accounts --times 8 33
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[1] / "conf"
CHUNK = 20_000
THREADS = 2


def write_rows(folder: Path, demo: Path, n: int) -> None:
    """Write the demo's features, repeated with a little noise, and the rival's pipelines learnt on them."""
    import lightgbm
    import mlflow
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    from winworth.config import load_settings
    from winworth.features.build import build_features
    from winworth.features.examples import scoring_examples
    from winworth.flows.predict import open_champion
    from winworth.flows.prepare import prepare
    from winworth.scoring.scorer import Scorer

    settings = load_settings(CONF)
    settings = replace(settings, crm=replace(settings.crm, folder=str((demo / "exports").resolve())))
    scorer = Scorer.from_files(open_champion(demo, AS_OF).contents)
    snapshot = prepare(settings, as_of=AS_OF, catalog=scorer.catalog).snapshot
    features = build_features(scoring_examples(snapshot), snapshot, scorer.catalog)
    rng = np.random.default_rng(1)
    many = features.iloc[rng.integers(0, len(features), n)].reset_index(drop=True)
    for name in many.select_dtypes("number"):
        many[name] = many[name] * rng.uniform(0.98, 1.02, n)
    many.to_parquet(folder / "features.parquet", row_group_size=CHUNK)
    few = many.head(20_000)
    told = scorer.score(few)
    levels = [name for name in few if not pd.api.types.is_numeric_dtype(few[name])]
    mlflow.set_tracking_uri(f"sqlite:///{folder}/store.db")
    sides = {"win": (lightgbm.LGBMClassifier, rng.random(len(few)) < told["win_probability"])}
    sides |= {"value": (lightgbm.LGBMRegressor, np.log(told["value_if_won"]))}
    for name, (kind, y) in sides.items():
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        columns = ColumnTransformer([("levels", encoder, levels)], remainder="passthrough")
        model = make_pipeline(columns, kind(n_estimators=150, num_leaves=6, n_jobs=THREADS, verbose=-1)).fit(few, y)
        signature = mlflow.models.infer_signature(few.head(), y[:5])
        mlflow.sklearn.save_model(
            model, folder / name, signature=signature, pip_requirements=[], serialization_format="cloudpickle"
        )
        model[-1].booster_.save_model(folder / f"{name}.txt")
    np.save(folder / "numbers.npy", columns.transform(many).astype(np.float64))


def ours(folder: Path, demo: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from winworth.flows.predict import open_champion
    from winworth.scoring.scorer import Scorer

    scorer, writer = Scorer.from_files(open_champion(demo, AS_OF).contents), None
    with pq.ParquetFile(folder / "features.parquet", pre_buffer=False) as file:
        for batch in file.iter_batches(CHUNK):
            scored = pa.Table.from_pandas(scorer.score(batch.to_pandas()), preserve_index=False)
            writer = writer or pq.ParquetWriter(folder / "ours.parquet", scored.schema)
            writer.write_table(scored)
    writer.close()


def usual(folder: Path, demo: Path) -> None:
    import mlflow
    import numpy as np
    import pandas as pd

    features = pd.read_parquet(folder / "features.parquet")
    win, value = (mlflow.pyfunc.load_model(str(folder / name)) for name in ("win", "value"))
    p, worth = win.predict(features), np.exp(value.predict(features))
    pd.DataFrame({"p": p, "value": worth, "expected": p * worth}).to_parquet(folder / "usual.parquet")


def strong(folder: Path, demo: Path) -> None:
    import lightgbm
    import numpy as np

    boosters = [lightgbm.Booster(model_file=folder / f"{name}.txt") for name in ("win", "value")]
    X = np.load(folder / "numbers.npy", mmap_mode="r")
    found = [[b.predict(X[at : at + CHUNK], num_threads=THREADS) for at in range(0, len(X), CHUNK)] for b in boosters]
    np.save(folder / "strong.npy", np.stack([np.concatenate(chunks) for chunks in found]))


def write_accounts(folder: Path, demo: Path, times: int) -> None:
    """Write the demo's extract as Parquet, each id `times` times, and a configuration that reads it."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import yaml

    from winworth.config import load_settings
    from winworth.crm.read import read_crm

    settings = load_settings(CONF)
    crm = read_crm(replace(settings.crm, folder=str((demo / "exports").resolve())), root=settings.folder)
    document = yaml.safe_load((CONF / "crm.yaml").read_text(encoding="utf-8")) | {"folder": str(folder)}
    for name, frame in crm.tables.items():
        ids = [column for column in frame if column.endswith("_id") and column != "owner_id"]
        copies = 1 if name == "costs" else times
        with pq.ParquetWriter(folder / f"{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False).schema) as writer:
            for k in range(copies):
                more = frame.assign(**{column: (frame[column] + f"x{k}").where(frame[column].notna()) for column in ids if k})
                writer.write_table(pa.Table.from_pandas(more, preserve_index=False))
        table = document["tables"][name] | {"file": f"{name}.parquet", "separator": ","}
        for column, found in table["columns"].items():
            found |= {"source": column} | ({"values": {w: w for w in found["values"].values()}} if "values" in found else {})
            found.pop("format", None)
        document["tables"][name] = table
    conf = folder / "conf"
    conf.mkdir()
    for path in CONF.glob("*.yaml"):
        (conf / path.name).write_bytes(path.read_bytes())
    (conf / "crm.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    (folder / "home").mkdir()
    (folder / "home" / "models").symlink_to((demo / "models").resolve())


def predicted(folder: Path, at_once: int) -> None:
    from winworth.config import load_settings
    from winworth.flows.predict import InParts, predict

    predict(load_settings(folder / "conf"), as_of=AS_OF, home=folder / "home", in_parts=InParts(at_once))


SIDES = {
    "ours": ours,
    "usual": usual,
    "strong": strong,
    "parts": lambda folder, demo: predicted(folder, 5000),
    "whole": lambda folder, demo: predicted(folder, 0),
}


def peak_mb() -> float:
    """Return the peak memory of this program alone; getrusage would tell that of the process it was forked from, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(side: str, folder: Path, demo: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "side", "--side", side, "--folder", str(folder), "--demo", str(demo)]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {"seconds": time.perf_counter() - start, "mb": json.loads(done.splitlines()[-1])["mb"]}


def compare(sides: list[str], folder: Path, demo: Path, runs: int) -> None:
    turns = [{side: measure(side, folder, demo) for side in sides} for _ in range(runs)]
    first = None
    for side in sides:
        seconds, mb = (median(turn[side][key] for turn in turns) for key in ("seconds", "mb"))
        first = first or (seconds, mb)
        print(f"  {side:<7} {seconds:8.1f} s {mb:8.0f} MB   {seconds / first[0]:6.2f} x wall {mb / first[1]:6.2f} x memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rows", "accounts", "side"])
    parser.add_argument("--n", type=int, nargs="*", default=[1_000, 1_000_000])
    parser.add_argument("--times", type=int, nargs="*", default=[8, 33])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--demo", type=Path, default=Path("demo"))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.what == "side":
        SIDES[asked.side](asked.folder, asked.demo)
        print(json.dumps({"mb": peak_mb()}))
        return
    write, sides = (write_rows, ["ours", "usual", "strong"]) if asked.what == "rows" else (write_accounts, ["parts", "whole"])
    for n in asked.n if asked.what == "rows" else asked.times:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), asked.demo, n)
            print(f"{asked.what}: {n:,}, median of {asked.runs} runs taking turns, start-up included", flush=True)
            compare(sides, Path(folder), asked.demo, asked.runs)


if __name__ == "__main__":
    main()
