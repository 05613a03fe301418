"""From a formula to C for one target: emit, table and guard, bundle, toolchains, verification."""
