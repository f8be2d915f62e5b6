"""A model version as MLflow and Spark load it; every version carries a copy of this file."""

from pathlib import Path

import mlflow
import pandas as pd


class WinworthModel(mlflow.pyfunc.PythonModel):
    """Score a feature table with the model version among the artifacts."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Open the version; it is verified against its manifest on the way."""
        from winworth.bundle import open_version
        from winworth.scoring.scorer import Scorer

        self.scorer = Scorer.from_files(open_version(Path(context.artifacts["bundle"])).contents)

    def predict(
        self, context: mlflow.pyfunc.PythonModelContext, model_input: pd.DataFrame, params: dict | None = None
    ) -> pd.DataFrame:
        """Return win_probability, value_if_won, expected_value and score, one row for each row of features."""
        return self.scorer.score(model_input)


mlflow.models.set_model(WinworthModel())  # how MLflow finds the model in a file of code
