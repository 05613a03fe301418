"""A clock that can be turned back: what the C library calls the time, less some seconds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TURNED_BACK = "DISTILL_FAULT_CLOCK"
"""``AFTER:BACK``: so many seconds after the start of the process it goes back by so many."""

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);

static long back(void) {
    static long after, by, began = -1;
    struct timespec now;
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    real(CLOCK_MONOTONIC, &now);
    if (began < 0) {
        const char *how = getenv("DISTILL_FAULT_CLOCK");
        if (!how || sscanf(how, "%ld:%ld", &after, &by) != 2) by = 0;
        began = now.tv_sec;
    }
    return now.tv_sec - began >= after ? by : 0;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    long by = back();
    int status = real(id, t);
    if (id == CLOCK_REALTIME && !status) t->tv_sec -= by;
    return status;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"""


def preloaded(folder: Path) -> Path:
    """The library for ``LD_PRELOAD``, built if it is not there."""
    library = folder / "clock.so"
    if not library.exists():
        compiler = shutil.which("cc")
        if compiler is None:
            raise RuntimeError("a C compiler is needed to turn the clock back")
        source = folder / "clock.c"
        source.write_text(_SOURCE)
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True)
    return library
