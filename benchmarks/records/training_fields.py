"""The fields of training records, in the order in which tables show them."""

from dataclasses import replace

from benchmarks.records.cost_fields import ID, MESSAGE, PARAMETERS, PROVENANCE, SIZE_FIELDS, STATUS
from benchmarks.records.field import Field, column, part, shape_of
from benchmarks.records.kinds import (
    DURATION,
    FLAG,
    INTEGER,
    NUMBER,
    OTHERS,
    SCALAR,
    SHARE,
    SIZE,
    TEXT,
    TEXTS,
    objects,
)

RUN = part(
    "run",
    column("dataset", TEXT, "data set", "word", main=True, text="what the network learns"),
    column("network", TEXT, "network", "word", main=True, text="resnet or allcnnc"),
    column("variant", TEXT, "variant", "word", main=True, text="which convolution; plain has no group"),
    column("group", TEXT, "group", "group", main=True, text="the subgroup H"),
    *(replace(size, main=size.path in ("resolution", "channels")) for size in SIZE_FIELDS),
    column("seed", INTEGER, "seed", main=True, text="of initialisation, order and dropout"),
    column("budget", SIZE, "budget", text="when the run ends"),
    column("budget_unit", TEXT, "budget in", "word", text="epochs, seconds or macs"),
    column("matched", TEXT, "matched by", "word", text="the budget by which the width was chosen"),
    column("recipe", TEXT, "recipe", "word", text="the schedule"),
    column("hidden_features", SIZE, "kernel nets", text="width of the SIRENs"),
    column("sampled", FLAG, text="whether training moves the grid of H at random"),
    column("learning_rate", SIZE, "learning rate", text="the highest of the schedule"),
    column("weight_decay", SIZE, text="of Adam"),
    column("limit", SIZE, text="most images in each part"),
    column("device", TEXT, text="cpu or cuda"),
    column("dtype", TEXT, text="float32 or bfloat16"),
    column("scales", DURATION, text="of the grid on H"),
    column("threads", DURATION, "threads", text="of torch's intra-op pool"),
    Field("epochs", SIZE, "in schema 1: the budget"),
    Field(OTHERS, SCALAR),
)
EPOCH = (
    column("epoch", SIZE, text="0 is the untrained network"),
    column("seconds", SIZE, unit="s", text="of training until then, validation excluded"),
    column("macs", SIZE, unit="MAC", text="of training until then"),
    column("train_loss", NUMBER, text="mean over the epoch"),
    column("train_accuracy", SHARE, text="over the epoch"),
    column("validation_loss", NUMBER, text="mean over the validation images"),
    column("validation_accuracy", SHARE, text="on the validation images"),
    column("images_per_second", SIZE, text="of training"),
    column("peak_bytes", SIZE, unit="B", text="peak memory of a training step"),
    column("equivariance_error", SIZE, text="of the logits under quarter turns"),
)
TRAINING_MEASURED = (
    column("best_epoch", SIZE, "best epoch", text="the epoch that the validation images chose"),
    column("test_accuracy", SHARE, "test accuracy", "share", main=True, text="with the weights of the best epoch"),
    Field("test_loss", NUMBER, "with the weights of the best epoch"),
    PARAMETERS,
    *part(
        "macs_per_image",
        column("convolution", SIZE, name="macs_convolution", unit="MAC", text="of one image's forward"),
        Field("kernel_generation_per_step", SIZE, "of generating the kernels, once a step", "MAC"),
    ),
    *part(
        "data",
        column("train", SIZE, name="n_train", text="images"),
        column("validation", SIZE, name="n_validation", text="images"),
        column("test", SIZE, name="n_test", text="images"),
        column("source", TEXT, text="where the images came from"),
    ),
    Field("epochs", objects(shape_of(EPOCH)), "one object for each epoch, see below", empty=[]),
    Field("weights_sha256", TEXT, "hash of the trained weights"),
    column("stopped", TEXT, text="budget or diverged"),
    Field("compile_seconds", SIZE, "first step of a compiled network", "s"),
    Field("resumed", SIZE, "how often the run went on from a checkpoint", empty=0),
    Field("warnings", TEXTS, "lines for the user", empty=[]),
)
TRAINING = (STATUS, *RUN, *TRAINING_MEASURED, MESSAGE, *PROVENANCE, ID)
