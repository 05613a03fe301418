"""The fault harness: a study is disturbed, done again, and held against an undisturbed one."""
