"""What is distilled: one file per kind of teacher, and one loader for all of them."""
