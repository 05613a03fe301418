"""The processes of a check: what is left of them when nobody wants their results any more."""

import multiprocessing
import threading

from distill.checking.certificate import parse_certificate
from distill.checking.cover import leaves
from distill.checking.workers import run_all

from .making import halved, plain, raw


def test_nothing_of_the_pool_outlives_it():
    """Python wakes its thread at exit, through a pipe that the thread closes when it ends."""
    data = plain(width=16, depth=9)
    data["claims"][0]["splits"] = halved(9)
    text = raw(data)
    certificate = parse_certificate(text)
    claim = certificate.claims["formula"]
    boxes = [box for box, _ in leaves(claim.splits, certificate.domain, "here")]
    before = set(threading.enumerate())
    results = run_all(text, claim, boxes, 2, 1000)
    count, _ = next(results)
    assert 0 < count < len(boxes)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert set(threading.enumerate()) <= before
    assert multiprocessing.active_children() == []
