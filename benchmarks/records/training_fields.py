"""The declared fields of training records, in the order in which tables show them."""

from dataclasses import replace

from benchmarks.records.cost_fields import ID, MESSAGE, PARAMETERS, PROVENANCE, SIZE_FIELDS, STATUS
from benchmarks.records.field import Field, column, main_column, others, part, shape_of
from benchmarks.records.kinds import DURATION, FLAG, INTEGER, NUMBER, SHARE, SIZE, TEXT, TEXTS, by_name, objects

RUN = part(
    "run",
    main_column("dataset", TEXT, "name of the data set", "data set"),
    main_column("network", TEXT, "resnet (the paper's), allcnnc (its All-CNN-C) or package.module:factory", "network"),
    main_column("variant", TEXT, "kind of convolution or of network; plain has no group", "variant"),
    main_column("group", TEXT, "the subgroup H, such as SO2; trivial for plain", "group", "group"),
    *(replace(size, main=size.path in ("resolution", "channels")) for size in SIZE_FIELDS),
    main_column("seed", INTEGER, "seed of the initialisation, the order of the images and the dropout", "seed"),
    column("budget", SIZE, "length of the run, in epochs, seconds of training or MACs", "budget"),
    column("budget_unit", TEXT, "unit of the budget: epochs, seconds or macs", "budget in"),
    column("matched", TEXT, "quantity in which the width makes the network equal to another, or none", "matched by"),
    column("recipe", TEXT, "schedule of the learning rate: paper or short", "recipe"),
    column("hidden_features", SIZE, "width of the SIRENs that generate the kernels", "kernel nets"),
    main_column("augmentation", TEXT, "random poses of the train images: none, rotations, scales or both", "augmented"),
    column("sampled", FLAG, "whether every training step moves the grid on H at random"),
    column("learning_rate", SIZE, "highest learning rate of the schedule", "learning rate"),
    column("weight_decay", SIZE, "weight decay of Adam"),
    column("limit", SIZE, "largest number of images in each part; null for all images"),
    column("train_limit", SIZE, "largest number of train images; null for as many as the limit allows"),
    column("epoch_images", SIZE, "images in an epoch; null for each train image once"),
    column("test_angles", INTEGER, "number of angles by which the test images are turned after training"),
    column("dropout", SHARE, "factor of the network's own probabilities of dropout"),
    column("device", TEXT, "cpu or cuda"),
    column("dtype", TEXT, "float32 or bfloat16 (by autocast)"),
    column("scales", DURATION, "number of scales in the grid on H"),
    column("threads", DURATION, "size of torch's intra-op thread pool", "threads"),
    Field("epochs", SIZE, "in schema 1, in place of budget: number of epochs"),
    others("an option of another version of the benchmarks"),
)
EPOCH = (
    column("epoch", SIZE, "number of the epoch; epoch 0 is the untrained network"),
    column("seconds", SIZE, "training time until the end of the epoch, without evaluation", unit="s"),
    Field("evaluation_seconds", SIZE, "time of evaluation until the end of the epoch", "s"),
    column("macs", SIZE, "MACs of training until the end of the epoch", unit="MAC"),
    column("train_loss", NUMBER, "mean loss of the training steps of the epoch"),
    column("train_accuracy", SHARE, "accuracy on the train images, while training"),
    column("validation_loss", NUMBER, "mean loss on the validation images"),
    column("validation_accuracy", SHARE, "accuracy on the validation images"),
    column("images_per_second", SIZE, "train images per second of training", unit="1/s"),
    column("peak_bytes", SIZE, "peak memory of a training step", unit="B"),
    column("equivariance_error", SIZE, "worst relative change of the logits when images turn by 90°, 180° or 270°"),
    Field(
        "redundancy", by_name(by_name(NUMBER)), "for each layer and form, the share of the weights' energy explained"
    ),
)
OF_ANGLE = (
    Field("angle", NUMBER, "angle by which the test images are turned, counter-clockwise", "°"),
    Field("accuracy", SHARE, "accuracy on the turned test images after the best epoch"),
    Field("equivariance_error", SIZE, "relative change of the logits of 16 test images when they are turned"),
)
TRAINING_MEASURED = (
    column("best_epoch", SIZE, "the epoch with the highest validation accuracy", "best epoch"),
    main_column("test_accuracy", SHARE, "accuracy on the test images after the best epoch", "test accuracy", "share"),
    Field("test_loss", NUMBER, "mean loss on the test images after the best epoch"),
    Field("test_by_angle", objects(shape_of(OF_ANGLE)), "the same by angle, if angles were asked for", empty=[]),
    Field(
        "equivariance_error_by_layer", by_name(NUMBER), "worst error of each map under rotations of H off the pixels"
    ),
    replace(PARAMETERS, main=True),
    column("macs_per_image.convolution", SIZE, "MACs of the forward of one image", name="macs_convolution", unit="MAC"),
    Field("macs_per_image.kernel_generation_per_step", SIZE, "MACs of generating all kernels once", "MAC"),
    column("data.train", SIZE, "number of train images", name="n_train"),
    column("data.validation", SIZE, "number of validation images", name="n_validation"),
    column("data.test", SIZE, "number of test images", name="n_test"),
    column("data.channels", SIZE, "channels of the images", name="image_channels"),
    column("data.classes", SIZE, "number of classes", name="classes"),
    column("data.source", TEXT, "origin of the images", name="source"),
    Field("data.name", TEXT, "name of the data set; images that were generated have one of their own"),
    Field("data.licence", TEXT, "licence of the images"),
    Field("data.split_seed", INTEGER, "seed that drew the parts and the poses of the images"),
    Field("epochs", objects(shape_of(EPOCH)), "the measurements of each epoch, see the last table", empty=[]),
    Field("weights_sha256", TEXT, "hash of the weights at the end of training"),
    column("stopped", TEXT, "why training ended: budget or diverged"),
    Field("compile_seconds", SIZE, "time of the first step of a compiled network", "s"),
    Field("resumed", SIZE, "how often the run was resumed from a checkpoint", empty=0),
    Field("warnings", TEXTS, "warnings for the user", empty=[]),
)
TRAINING = (STATUS, *RUN, *TRAINING_MEASURED, MESSAGE, *PROVENANCE, ID)
