"""The fields of training records, in the order in which tables show them."""

from dataclasses import replace

from benchmarks.records.cost_fields import ID, MESSAGE, PARAMETERS, PROVENANCE, SIZE_FIELDS, STATUS
from benchmarks.records.field import Field, column, main_column, part, shape_of
from benchmarks.records.kinds import DURATION, FLAG, INTEGER, NUMBER, OTHERS, SCALAR, SHARE, SIZE, TEXT, TEXTS, objects

RUN = part(
    "run",
    main_column("dataset", TEXT, "the images", "data set"),
    main_column("network", TEXT, "resnet or allcnnc", "network"),
    main_column("variant", TEXT, "the kind of layer; plain has no group", "variant"),
    main_column("group", TEXT, "the subgroup H", "group", "group"),
    *(replace(size, main=size.path in ("resolution", "channels")) for size in SIZE_FIELDS),
    main_column("seed", INTEGER, "of initialisation, order and dropout", "seed"),
    column("budget", SIZE, "when the run ends", "budget"),
    column("budget_unit", TEXT, "epochs, seconds or macs", "budget in"),
    column("matched", TEXT, "the budget by which the width was chosen", "matched by"),
    column("recipe", TEXT, "the schedule", "recipe"),
    column("hidden_features", SIZE, "width of the SIRENs", "kernel nets"),
    column("sampled", FLAG, "whether training moves the grid of H at random"),
    column("learning_rate", SIZE, "the highest of the schedule", "learning rate"),
    column("weight_decay", SIZE, "of Adam"),
    column("limit", SIZE, "most images in each part"),
    column("device", TEXT, "cpu or cuda"),
    column("dtype", TEXT, "float32 or bfloat16"),
    column("scales", DURATION, "of the grid on H"),
    column("threads", DURATION, "of torch's intra-op pool", "threads"),
    Field("epochs", SIZE, "in schema 1: the budget"),
    Field(OTHERS, SCALAR),
)
EPOCH = (
    column("epoch", SIZE, "0 is the untrained network"),
    column("seconds", SIZE, "of training until then, validation excluded", unit="s"),
    column("macs", SIZE, "of training until then", unit="MAC"),
    column("train_loss", NUMBER, "mean over the epoch"),
    column("train_accuracy", SHARE, "over the epoch"),
    column("validation_loss", NUMBER, "mean over the validation images"),
    column("validation_accuracy", SHARE, "on the validation images"),
    column("images_per_second", SIZE, "in training"),
    column("peak_bytes", SIZE, "peak memory of a training step", unit="B"),
    column("equivariance_error", SIZE, "of the logits under quarter turns"),
)
TRAINING_MEASURED = (
    column("best_epoch", SIZE, "the epoch that the validation images chose", "best epoch"),
    main_column("test_accuracy", SHARE, "with the weights of the best epoch", "test accuracy", "share"),
    Field("test_loss", NUMBER, "with the weights of the best epoch"),
    replace(PARAMETERS, main=True),
    column("macs_per_image.convolution", SIZE, "of one image's forward", name="macs_convolution", unit="MAC"),
    Field("macs_per_image.kernel_generation_per_step", SIZE, "of generating the kernels, once a step", "MAC"),
    column("data.train", SIZE, "images", name="n_train"),
    column("data.validation", SIZE, "images", name="n_validation"),
    column("data.test", SIZE, "images", name="n_test"),
    column("data.source", TEXT, "where the images came from", name="source"),
    Field("epochs", objects(shape_of(EPOCH)), "one object for each epoch, see below", empty=[]),
    Field("weights_sha256", TEXT, "hash of the trained weights"),
    column("stopped", TEXT, "budget or diverged"),
    Field("compile_seconds", SIZE, "first step of a compiled network", "s"),
    Field("resumed", SIZE, "how often the run went on from a checkpoint", empty=0),
    Field("warnings", TEXTS, "lines for the user", empty=[]),
)
TRAINING = (STATUS, *RUN, *TRAINING_MEASURED, MESSAGE, *PROVENANCE, ID)
