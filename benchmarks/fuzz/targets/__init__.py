"""One reader of foreign bytes a file, each with the files its fuzzing starts from."""
