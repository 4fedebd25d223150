"""The fields of cost records and of twins, in the order in which tables show them."""

from benchmarks.records.field import Field, column, part
from benchmarks.records.kinds import (
    DURATION,
    DURATIONS,
    FINDINGS,
    FLAG,
    NUMBER,
    OTHERS,
    ROUNDS,
    SCALAR,
    SIZE,
    SIZES_BY_NAME,
    TEXT,
    TEXTS_BY_NAME,
)
from benchmarks.records.outcome import STATUSES

ID = column("id", TEXT, "id", "word", text="twelve hexadecimal digits that depend on what was asked for alone")
STATUS = column("status", TEXT, "status", "status", main=True, text=f"what became of it: {', '.join(STATUSES)}")
MESSAGE = column("message", TEXT, "message", "word", main=True, text="one line on why it is not ok")
BLOCK = column("block", TEXT, "block", "word", text="contenders with one block were timed in turns")

SIZE_FIELDS = (
    column("resolution", DURATION, "|H|", main=True, text="group resolution |H|"),
    column("channels", DURATION, "width", main=True, text="C"),
    column("batch_size", DURATION, "batch", main=True, text="images in a pass"),
    column("image_size", DURATION, "image", main=True, unit="pixels", text="height and width"),
    column("kernel_size", DURATION, "kernel", main=True, unit="pixels", text="height and width"),
)
CASE = part(
    "case",
    column("implementation", TEXT, "of", "word", main=True, text="gcnn_impl, a peer, or package.module:Class"),
    column("layer", TEXT, "layer", "word", main=True, text="conv or resnet"),
    column("variant", TEXT, "variant", "word", main=True, text="which convolution"),
    column("group", TEXT, "group", "group", main=True, text="the subgroup H"),
    *SIZE_FIELDS,
    column("direction", TEXT, "pass", "pass", main=True, text="forward, forward_backward or training_step"),
    column("scales", DURATION, "scales", text="of the grid on H"),
    column("kernels", TEXT, "kernels", "word", text="cached or generated"),
    column("execution", TEXT, "execution", "word", text="eager or compiled"),
    column("device", TEXT, text="cpu or cuda"),
    column("dtype", TEXT, "format", "word", text="float32, bfloat16 or tf32"),
    column("threads", DURATION, "threads", text="of torch's intra-op pool"),
    Field(OTHERS, SCALAR),
)
SECONDS = part(
    "seconds",
    Field("rounds", ROUNDS, "samples of every process, in the order they were taken", "s"),
    Field("samples", DURATIONS, "in schema 1: samples of one process", "s"),
    column("median", DURATION, "time, median", "seconds", name="seconds", main=True, unit="s", text="of all samples"),
    column(
        "ci_low",
        DURATION,
        "95 % from",
        "seconds",
        main=True,
        unit="s",
        text="95 % interval of the median, its lower end",
    ),
    column("ci_high", DURATION, "95 % to", "seconds", main=True, unit="s", text="its upper end"),
    column("n", SIZE, "n", main=True, text="number of samples"),
    column("q1", DURATION, unit="s", text="lower quartile"),
    column("q3", DURATION, unit="s", text="upper quartile"),
    column("stopped", TEXT, "ended by", "word", text="precision, budget, samples or failure"),
    *part(
        "outliers",
        column("mild", SIZE, name="outliers_mild", text="samples beyond 1.5 interquartile ranges from the quartiles"),
        column("far", SIZE, name="outliers_far", text="samples beyond 3"),
    ),
)
MEMORY = part(
    "memory",
    column(
        "peak_bytes",
        SIZE,
        "peak memory",
        "bytes",
        main=True,
        unit="B",
        text="peak of a pass above what was there before",
    ),
    column("predicted_bytes", SIZE, "predicted", "bytes", unit="B", text="the peak that the memory model predicts"),
    # Negative where something was there before the pass and is released in it.
    column("parameters_bytes", NUMBER, unit="B", text="of the peak: gradients of the parameters"),
    column("kernels_bytes", NUMBER, unit="B", text="of the peak: generated kernels, and what their backward needs"),
    column("activations_bytes", NUMBER, unit="B", text="of the peak: what else is saved for backward"),
    column("workspace_bytes", NUMBER, unit="B", text="of the peak: the rest"),
    column("reserved_bytes", SIZE, unit="B", text="on CUDA: growth of the allocator's share of the device"),
    column("method", TEXT, name="memory_method", text="how the peak was measured"),
)
MACS = part(
    "macs",
    column(
        "convolution",
        SIZE,
        "MACs, convolution",
        "count",
        name="macs_convolution",
        main=True,
        unit="MAC",
        text="of one forward of the batch",
    ),
    column(
        "kernel_generation",
        SIZE,
        "MACs, kernels",
        "count",
        name="macs_kernel_generation",
        unit="MAC",
        text="of generating the kernels, once a pass",
    ),
    column("backward", SIZE, "MACs, backward", "count", name="macs_backward", unit="MAC", text="of the gradients"),
    column(
        "zero_counted_time_share",
        SIZE,
        "time at zero MACs",
        "share",
        text="share of the time in operators that count as zero MACs",
    ),
    Field("unsupported", SIZES_BY_NAME, "operators without a counting rule, and how often each occurred"),
)
NOISE = part(
    "noise",
    column("verdict", TEXT, "noise", "word", name="noise", main=True, text="quiet or noisy"),
    Field("findings", FINDINGS, "why it is noisy: kind, detail and remedy of each finding"),
)
STAGES = part(
    "stages",
    *(
        column(stage, SIZE, name=f"stage_{stage}", unit="s", text=text)
        for stage, text in {
            "kernel_generation": "in forward: layer.kernels",
            "group_mixing": "in forward: over H or the channels alone",
            "spatial_convolution": "in forward: the rest of the layers",
            "other": "in forward: norms, activations, pooling, the classifier",
            "forward": "the whole forward, nothing watched",
            "backward": "the whole backward",
            "optimiser": "the optimiser's step",
        }.items()
    ),
    column(
        "kernel_generation_share",
        SIZE,
        "kernels of the pass",
        "share",
        text="share of the pass that generates kernels, its backward included",
    ),
)
ROOFLINE = part(
    "roofline",
    column(
        "fraction",
        SIZE,
        "of the roofline",
        "share",
        name="roofline_fraction",
        text="share of the roof at this intensity",
    ),
    column("arithmetic_intensity", SIZE, unit="MAC/B", text="MACs over bytes moved"),
    column("macs_per_second", SIZE, unit="MAC/s", text="of the median pass"),
    column("matrix_ceiling", SIZE, unit="MAC/s", text="the fastest matrix product or convolution of this machine"),
    column("memory_ceiling", SIZE, unit="B/s", text="the fastest copy of this machine"),
)
ENERGY = part(
    "energy",
    column("joules_per_sample", SIZE, "energy per image", "joules", unit="J", text="of one image in a pass"),
    Field("reason", TEXT, "why no energy was measured"),
)
COMPILE_SECONDS = column(
    "compile_seconds", SIZE, "compiling", "seconds", unit="s", text="first pass less second pass of a compiled module"
)
DEVICE_SECONDS = part(
    "device_seconds",
    column(
        "median",
        DURATION,
        "on the GPU itself",
        "seconds",
        name="device_seconds",
        unit="s",
        text="of a pass between two CUDA events",
    ),
    *(Field(name, DURATION, "as in seconds", "s") for name in ("q1", "q3", "ci_low", "ci_high")),
    Field("n", SIZE, "number of passes"),
)
PARAMETERS = column("parameters", SIZE, "parameters", "count", text="learnable numbers")
EQUIVARIANCE_ERROR = column(
    "equivariance_error",
    SIZE,
    "equivariance error",
    "error",
    text="worst relative error under the group's exact elements",
)
MISSING = Field("missing", TEXTS_BY_NAME, "instruments that failed, and why")
PROVENANCE = part(
    "provenance",
    column("load_before", SIZE, "load before", text="one-minute load average before"),
    column("load_after", SIZE, text="and after"),
    column("measured_at", TEXT, "measured (UTC)", "minute", text="ISO 8601, UTC"),
    column("commit", TEXT, "commit", "commit", text="of the checkout"),
    column("dirty", FLAG, text="whether tracked files differ from the commit"),
    *(column(name, TEXT, text="version") for name in ("python", "torch", "gcnn_impl", "fvcore")),
    column("platform", TEXT, text="operating system"),
    column("cpu", TEXT, text="the processor's name"),
    column("cores", DURATION, text="that the process may use"),
    column("gpu", TEXT, text="the CUDA device's name"),
    Field("device_name", TEXT, "the GPU or the processor"),
    Field("threads", DURATION, "of torch's intra-op pool"),
)
COST_MEASURED = (
    *SECONDS,
    *MEMORY,
    *MACS,
    *NOISE,
    *STAGES,
    *ROOFLINE,
    *ENERGY,
    COMPILE_SECONDS,
    *DEVICE_SECONDS,
    PARAMETERS,
    EQUIVARIANCE_ERROR,
)
COST = (STATUS, *CASE, *COST_MEASURED, MESSAGE, MISSING, BLOCK, *PROVENANCE, ID)
TWIN = (
    STATUS,
    MESSAGE,
    Field("case_id", TEXT, "id of the case that was entered twice"),
    BLOCK,
    *SECONDS,
    *PROVENANCE,
    ID,
)
