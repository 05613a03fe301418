"""The code of a registered model ("models from code"): MLflow runs this file to load one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class FormulaModel(PythonModel):
    """Evaluates the formula of a candidate on a DataFrame with its inputs as columns."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the candidate that was stored with the model, by the code that was."""
        # Only while it is imported: processes started later would find this part of the package in
        # the place of the whole. What a module imports later comes from where its package did.
        sys.path.insert(0, context.artifacts["code"])
        try:
            from distill.chain.expression import read_expression
        finally:
            sys.path.remove(context.artifacts["code"])
        data = json.loads(Path(context.artifacts["candidate"]).read_text(encoding="utf-8"))
        self.formula = read_expression(data["formula"])
        self.output = str(data["output"])

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """One column, the output's name, one row for each row of the input."""
        x = model_input[list(self.formula.domain.names)].to_numpy(dtype=float)
        return pd.DataFrame({self.output: self.formula(x)}, index=model_input.index)


set_model(FormulaModel())
