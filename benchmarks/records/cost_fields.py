"""The fields of cost records and of twins, in the order in which tables show them."""

from benchmarks.records.field import Field, column, main_column, part
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

ID = column("id", TEXT, "twelve hexadecimal digits that depend on what was asked for alone", "id")
STATUS = main_column("status", TEXT, f"the outcome: {', '.join(STATUSES)}", "status", "status")
MESSAGE = main_column("message", TEXT, "one line on why the status is not ok", "message")
BLOCK = column("block", TEXT, "contenders with one block were timed in turns", "block")
SIZE_FIELDS = (
    main_column("resolution", DURATION, "group resolution |H|", "|H|"),
    main_column("channels", DURATION, "C", "width"),
    main_column("batch_size", DURATION, "images in a pass", "batch"),
    main_column("image_size", DURATION, "height and width", "image", unit="pixels"),
    main_column("kernel_size", DURATION, "height and width", "kernel", unit="pixels"),
)
CASE = part(
    "case",
    main_column("implementation", TEXT, "gcnn_impl, a peer, or package.module:Class", "of"),
    main_column("layer", TEXT, "conv or resnet", "layer"),
    main_column("variant", TEXT, "the kind of layer", "variant"),
    main_column("group", TEXT, "the subgroup H", "group", "group"),
    *SIZE_FIELDS,
    main_column("direction", TEXT, "forward, forward_backward or training_step", "pass", "pass"),
    column("scales", DURATION, "of the grid on H", "scales"),
    column("kernels", TEXT, "cached or generated", "kernels"),
    column("execution", TEXT, "eager or compiled", "execution"),
    column("device", TEXT, "cpu or cuda"),
    column("dtype", TEXT, "float32, bfloat16 or tf32", "format"),
    column("threads", DURATION, "of torch's intra-op pool", "threads"),
    Field(OTHERS, SCALAR),
)
SECONDS = part(
    "seconds",
    Field("rounds", ROUNDS, "samples of every process, in the order they were taken", "s"),
    Field("samples", DURATIONS, "in schema 1: samples of one process", "s"),
    main_column("median", DURATION, "of all samples", "time, median", "seconds", name="seconds"),
    main_column("ci_low", DURATION, "lower end of the median's 95 % interval", "95 % from", "seconds"),
    main_column("ci_high", DURATION, "its upper end", "95 % to", "seconds"),
    main_column("n", SIZE, "number of samples", "n"),
    column("q1", DURATION, "lower quartile", unit="s"),
    column("q3", DURATION, "upper quartile", unit="s"),
    column("stopped", TEXT, "precision, budget, samples or failure", "ended by"),
    column("outliers.mild", SIZE, "samples beyond 1.5 interquartile ranges from the quartiles", name="outliers_mild"),
    column("outliers.far", SIZE, "samples beyond 3 interquartile ranges", name="outliers_far"),
)
MEMORY = part(
    "memory",
    main_column("peak_bytes", SIZE, "peak of a pass above what was there before", "peak memory", "bytes"),
    column("predicted_bytes", SIZE, "the peak that the memory model predicts", "predicted", "bytes"),
    # Negative where memory that was allocated before the pass is released in it.
    column("parameters_bytes", NUMBER, "share of the peak: gradients of the parameters", unit="B"),
    column("kernels_bytes", NUMBER, "share of the peak: generated kernels, and what their backward needs", unit="B"),
    column("activations_bytes", NUMBER, "share of the peak: what else is saved for backward", unit="B"),
    column("workspace_bytes", NUMBER, "share of the peak: the rest", unit="B"),
    column("reserved_bytes", SIZE, "on CUDA: growth of the allocator's share of the device", unit="B"),
    column("method", TEXT, "how the peak was measured", name="memory_method"),
)
MACS = part(
    "macs",
    main_column(
        "convolution", SIZE, "of one forward", "MACs, convolution", "count", name="macs_convolution", unit="MAC"
    ),
    column(
        "kernel_generation", SIZE, "once a pass", "MACs, kernels", "count", name="macs_kernel_generation", unit="MAC"
    ),
    column("backward", SIZE, "of the gradients", "MACs, backward", "count", name="macs_backward", unit="MAC"),
    column("zero_counted_time_share", SIZE, "time in operators that count as zero MACs", "time at zero MACs", "share"),
    Field("unsupported", SIZES_BY_NAME, "operators without a counting rule, and how often each occurred"),
)
NOISE = part(
    "noise",
    main_column("verdict", TEXT, "quiet or noisy", "noise", name="noise"),
    Field("findings", FINDINGS, "why it is noisy: kind, detail and remedy of each finding"),
)
STAGES = part(
    "stages",
    column("kernel_generation", SIZE, "in forward: layer.kernels", name="stage_kernel_generation", unit="s"),
    column("group_mixing", SIZE, "in forward: over H or the channels alone", name="stage_group_mixing", unit="s"),
    column("spatial_convolution", SIZE, "in forward: the layers' rest", name="stage_spatial_convolution", unit="s"),
    column("other", SIZE, "in forward: norms, activations, pooling, the classifier", name="stage_other", unit="s"),
    column("forward", SIZE, "the whole forward, without watching", name="stage_forward", unit="s"),
    column("backward", SIZE, "the whole backward", name="stage_backward", unit="s"),
    column("optimiser", SIZE, "the optimiser's step", name="stage_optimiser", unit="s"),
    column("kernel_generation_share", SIZE, "of the pass, with its backward", "kernels of the pass", "share"),
)
ROOFLINE = part(
    "roofline",
    column("fraction", SIZE, "of the roof at this intensity", "of the roofline", "share", name="roofline_fraction"),
    column("arithmetic_intensity", SIZE, "MACs over bytes moved", unit="MAC/B"),
    column("macs_per_second", SIZE, "in the median pass", unit="MAC/s"),
    column("matrix_ceiling", SIZE, "the fastest matrix product or convolution of this machine", unit="MAC/s"),
    column("memory_ceiling", SIZE, "the fastest copy of this machine", unit="B/s"),
)
ENERGY = part(
    "energy",
    column("joules_per_sample", SIZE, "of one image in a pass", "energy per image", "joules"),
    Field("reason", TEXT, "why no energy was measured"),
)
COMPILE_SECONDS = column("compile_seconds", SIZE, "first pass less second, if compiled", "compiling", "seconds")
DEVICE_SECONDS = part(
    "device_seconds",
    column("median", DURATION, "between two CUDA events", "on the GPU itself", "seconds", name="device_seconds"),
    *(Field(name, DURATION, "as in seconds", "s") for name in ("q1", "q3", "ci_low", "ci_high")),
    Field("n", SIZE, "number of passes"),
)
PARAMETERS = column("parameters", SIZE, "learnable numbers", "parameters", "count")
EQUIVARIANCE_ERROR = column(
    "equivariance_error", SIZE, "worst relative error under exact group elements", "equivariance error", "error"
)
MISSING = Field("missing", TEXTS_BY_NAME, "instruments that failed, and why")
PROVENANCE = part(
    "provenance",
    column("load_before", SIZE, "one-minute load average before the measurement", "load before"),
    column("load_after", SIZE, "one-minute load average after it"),
    column("measured_at", TEXT, "ISO 8601, UTC", "measured (UTC)", "minute"),
    column("commit", TEXT, "of the checkout", "commit", "commit"),
    column("dirty", FLAG, "whether tracked files differ from the commit"),
    *(column(name, TEXT, "version") for name in ("python", "torch", "gcnn_impl", "fvcore")),
    column("platform", TEXT, "operating system"),
    column("cpu", TEXT, "the processor's name"),
    column("cores", DURATION, "that the process may use"),
    column("gpu", TEXT, "the CUDA device's name"),
    Field("device_name", TEXT, "the GPU or the processor"),
    Field("threads", DURATION, "of torch's intra-op pool"),
)
COST_MEASURED = (
    *(*SECONDS, *MEMORY, *MACS, *NOISE, *STAGES, *ROOFLINE, *ENERGY),
    *(COMPILE_SECONDS, *DEVICE_SECONDS, PARAMETERS, EQUIVARIANCE_ERROR),
)
COST = (STATUS, *CASE, *COST_MEASURED, MESSAGE, MISSING, BLOCK, *PROVENANCE, ID)
CASE_ID = Field("case_id", TEXT, "id of the case that was entered twice")
TWIN = (STATUS, MESSAGE, CASE_ID, BLOCK, *SECONDS, *PROVENANCE, ID)
