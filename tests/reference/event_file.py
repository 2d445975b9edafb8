#!/usr/bin/env python3
"""Makes the golden event file of tests/project/event_file_test.cpp with TensorBoard's own writer.

Usage: event_file.py OUT_FILE            (tensorboard 2.21)
       event_file.py --show EVENT_FILE   prints what TensorBoard's event_accumulator reads from a file of ours
"""
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def scalars(wall_time, step, **values):
    summary = Summary(value=[Summary.Value(tag=tag.replace("__", "/"), simple_value=v) for tag, v in values.items()])
    return Event(wall_time=wall_time, step=step, summary=summary)


def make(path):
    with open(path, "wb") as f:
        writer = RecordWriter(f)
        for event in (
            Event(wall_time=1700000000.25, file_version="brain.Event:2"),
            scalars(1700000001.5, 0, eval__loss=3.5),
            scalars(1700000002.0, 1, train__loss=3.25, train__learning_rate=2e-4, train__grad_norm=0.5),
            scalars(1700000003.0, 300, train__loss=float("nan"), train__learning_rate=1e-5, train__grad_norm=float("inf")),
            scalars(1700000004.0, 5000000000, eval__loss=-1e-30),
        ):
            writer.write(event.SerializeToString())


def show(path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(path)
    accumulator.Reload()
    for tag in sorted(accumulator.Tags()["scalars"]):
        print(tag, [(e.step, e.value) for e in accumulator.Scalars(tag)])


if sys.argv[1] == "--show":
    show(sys.argv[2])
else:
    make(sys.argv[1])
