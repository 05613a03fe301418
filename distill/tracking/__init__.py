"""MLflow and the report; nothing outside this room knows MLflow.

``record`` says what is to be logged and keeps it on disk, ``log`` puts it into a ``store``,
``fetch`` gets a candidate back, ``ui`` opens it in a browser.
"""
