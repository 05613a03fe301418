"""MLflow and the report; nothing outside this room knows MLflow."""
