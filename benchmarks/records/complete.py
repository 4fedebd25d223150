"""Whether a successful record has what answers need of it; a record of a case or a run that failed may lack all."""

from benchmarks.records.record import Record, rounds_of

# The fields that name a network. In schema 1, ``epochs`` stands for ``budget``.
NETWORK = ("dataset", "variant", "group", "resolution", "channels", "image_size", "kernel_size", "batch_size", "seed")
TRAINED = ("learning_rate", "device", "threads")
RESULTS = ("test_accuracy", "best_epoch", "parameters")
OF_EPOCH = ("epoch", "seconds", "macs")
TIMES = ("median", "ci_low", "ci_high")


def why_incomplete(record: Record) -> str | None:
    """Return what a successful record lacks, so that no answer can use it; None for a complete record."""
    return _lack_of_training(record) if record["kind"] == "training" else _lack_of_times(record)


def _lack_of_training(record: Record) -> str | None:
    run, epochs = record.get("run") or {}, record.get("epochs") or []
    budget = run.get("epochs") if run.get("budget") is None else run["budget"]
    missing = [f"run.{name}" for name in (*NETWORK, *TRAINED) if run.get(name) is None]
    missing += ["run.budget"] if budget is None else []
    missing += [f"epochs.{name}" for name in OF_EPOCH if any(epoch.get(name) is None for epoch in epochs)]
    if not missing and (not epochs or epochs[-1]["epoch"] < 1):
        missing = ["trained epoch"]
    if record["status"] == "ok":
        missing += [name for name in RESULTS if record.get(name) is None]
        missing += [] if (record.get("data") or {}).get("test") else ["data.test"]
        missing += [] if (record.get("macs_per_image") or {}).get("convolution") else ["macs_per_image.convolution"]
        if not missing and all(epoch["epoch"] != record["best_epoch"] for epoch in epochs):
            missing.append("epoch with the number best_epoch")
    return f"no {', '.join(missing)}" if missing else None


def _lack_of_times(record: Record) -> str | None:
    seconds = record.get("seconds") or {}
    missing = [f"seconds.{name}" for name in TIMES if seconds.get(name) is None]
    missing += [] if rounds_of(record) else ["seconds.rounds"]
    return f"no {', '.join(missing)}" if missing else None
