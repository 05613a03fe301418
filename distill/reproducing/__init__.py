"""A study done again from its MLflow run alone: ``distill reproduce``."""
