"""The declared fields of cost records and of twins, in the order in which tables show them."""

from benchmarks.records.field import Field, column, main_column, others, part, shape_of
from benchmarks.records.kinds import (
    DURATION,
    DURATIONS,
    FINDINGS,
    FLAG,
    INTEGER,
    LISTS_OF_DURATIONS,
    NUMBER,
    SHARE,
    SIZE,
    TEXT,
    TEXTS,
    by_name,
    objects,
)
from benchmarks.records.outcome import STATUSES

ID = column("id", TEXT, "twelve hexadecimal digits: the same case, twin or run has the same id everywhere", "id")
STATUS = main_column("status", TEXT, f"outcome of the measurement: {', '.join(STATUSES)}", "status", "status")
MESSAGE = main_column("message", TEXT, "the reason for a status other than ok, in one line", "message")
BLOCK = column("block", TEXT, "id of the block; records with the same block were timed in turns", "block")
STORED = (
    Field("block_position", INTEGER, "place of the record among those that were stored together with it, from 1"),
    Field("block_records", INTEGER, "number of records that were stored together; with fewer, the block was cut short"),
)
SIZE_FIELDS = (
    main_column("resolution", DURATION, "number of group elements, the size of the grid on H", "|H|"),
    main_column("channels", DURATION, "channels C of a layer, or width C of a network", "width"),
    main_column("batch_size", DURATION, "number of images in a pass or a training step", "batch"),
    main_column("image_size", DURATION, "height and width of the images", "image", unit="pixels"),
    main_column("kernel_size", DURATION, "height and width of the kernels", "kernel", unit="pixels"),
)
CASE = part(
    "case",
    main_column("implementation", TEXT, "gcnn_impl, a peer, or a user's package.module:name", "of"),
    main_column("layer", TEXT, "conv (one layer), resnet, allcnnc (networks) or network (a user's)", "layer"),
    main_column("variant", TEXT, "kind of convolution, such as plain, lifting, full or separable", "variant"),
    main_column("group", TEXT, "the subgroup H, such as SO2; trivial for plain", "group", "group"),
    *SIZE_FIELDS,
    main_column("direction", TEXT, "forward (inference), forward_backward or training_step", "pass", "pass"),
    column("scales", DURATION, "number of scales in the grid on H", "scales"),
    column("kernels", TEXT, "cached, or generated in every pass", "kernels"),
    column("execution", TEXT, "eager, compiled by torch.compile, or graphed (replayed as a CUDA graph)", "execution"),
    column("device", TEXT, "cpu or cuda"),
    column("dtype", TEXT, "float32, bfloat16 (by autocast) or tf32", "format"),
    column("threads", DURATION, "size of torch's intra-op thread pool", "threads"),
    column("in_channels", DURATION, "channels of a network's images; 1 where an older record lacks the field"),
    column("num_classes", DURATION, "number of a network's logits; 10 where an older record lacks the field"),
    others("an axis of another version of the benchmarks"),
)
SECONDS = part(
    "seconds",
    Field("rounds", LISTS_OF_DURATIONS, "times of all passes in order of measurement, a list for each process", "s"),
    Field("samples", DURATIONS, "in schema 1, in place of rounds: times of all passes, in one process", "s"),
    main_column(
        "median",
        DURATION,
        "median time of a pass (on CUDA with an empty cache)",
        "time, median",
        "seconds",
        name="seconds",
    ),
    main_column("ci_low", DURATION, "lower end of the 95 % interval of the median", "95 % from", "seconds"),
    main_column("ci_high", DURATION, "upper end of the 95 % interval of the median", "95 % to", "seconds"),
    main_column("n", SIZE, "number of timed passes", "n"),
    column("q1", DURATION, "lower quartile of the times", unit="s"),
    column("q3", DURATION, "upper quartile of the times", unit="s"),
    column("stopped", TEXT, "why no more passes were timed: precision, budget, samples or failure", "ended by"),
    column("outliers.mild", SIZE, "passes 1.5 to 3 interquartile ranges outside the quartiles", name="outliers_mild"),
    column("outliers.far", SIZE, "passes more than 3 interquartile ranges outside the quartiles", name="outliers_far"),
)
MEMORY = part(
    "memory",
    main_column("peak_bytes", SIZE, "peak memory of a pass, above the memory before the pass", "peak memory", "bytes"),
    column("predicted_bytes", SIZE, "prediction of the peak by the memory model", "predicted", "bytes"),
    # A part is negative where memory from before the pass is released in the pass.
    column("parameters_bytes", NUMBER, "part of the peak: gradients of the parameters", unit="B"),
    column("kernels_bytes", NUMBER, "part of the peak: generated kernels, and what their backward needs", unit="B"),
    column("activations_bytes", NUMBER, "part of the peak: other tensors saved for backward", unit="B"),
    column("workspace_bytes", NUMBER, "part of the peak: everything else", unit="B"),
    column("reserved_bytes", SIZE, "on CUDA: growth of the memory that torch reserves in the pass", unit="B"),
    column("method", TEXT, "how the peak was measured", name="memory_method"),
)
MACS = (
    *part(
        "macs",
        main_column("convolution", SIZE, "MACs of a forward, except kernel generation", "MACs, convolution", "count"),
        column("kernel_generation", SIZE, "MACs of generating all kernels once", "MACs, kernels", "count"),
        column("backward", SIZE, "MACs of the gradients", "MACs, backward", "count"),
        prefix="macs_",
        unit="MAC",
    ),
    *part(
        "macs",
        column(
            "zero_counted_time_share",
            SIZE,
            "share of the operators' time in operators without MACs, in one pass under the profiler",
            "time at zero MACs, one profiled pass",
            "share",
        ),
        Field("unsupported", by_name(SIZE), "operators without a rule in fvcore, and how often each occurred"),
        column(
            "not_counted", TEXT, "why MACs are null, such as the operators", "MACs not counted", name="macs_not_counted"
        ),
    ),
)
NOISE = part(
    "noise",
    main_column("verdict", TEXT, "quiet, or noisy if there is a finding", "noise", name="noise"),
    Field("findings", FINDINGS, "reasons to distrust the times: kind, detail and remedy of each"),
)
STAGES = (
    *part(
        "stages",
        column("kernel_generation", SIZE, "within the forward: making the kernels, or taking them from the cache"),
        column("group_mixing", SIZE, "within the forward: operations over H or the channels alone"),
        column("spatial_convolution", SIZE, "within the forward: the rest of the convolution layers"),
        column("other", SIZE, "within the forward: norms, activations, pooling, the classifier"),
        column("forward", SIZE, "the whole forward, timed without watching the layers"),
        column("backward", SIZE, "the whole backward"),
        column("optimiser", SIZE, "the step of the optimiser"),
        prefix="stage_",
        unit="s",
    ),
    *part(
        "stages",
        column(
            "kernel_generation_share", SIZE, "share of pass: kernels and their backward", "kernels of the pass", "share"
        ),
    ),
)
ROOFLINE = part(
    "roofline",
    column("fraction", SIZE, "MAC/s divided by the roofline", "of the roofline", "share", name="roofline_fraction"),
    column("arithmetic_intensity", SIZE, "MACs of the pass divided by the bytes that it moves", unit="MAC/B"),
    column("macs_per_second", SIZE, "MACs of the pass divided by its median time", unit="MAC/s"),
    column("matrix_ceiling", SIZE, "best rate of a matrix product or convolution on this machine", unit="MAC/s"),
    column("memory_ceiling", SIZE, "best rate of a copy on this machine, bytes read and written", unit="B/s"),
)
ENERGY = part(
    "energy",
    column("joules_per_sample", SIZE, "energy of a pass divided by its images", "energy per image", "joules"),
    Field("reason", TEXT, "why no energy was measured"),
)
CONSTRUCTION_SECONDS = column(
    "construction_seconds",
    DURATION,
    "time of constructing the module, once, in a new process",
    "construction",
    "seconds",
)
FIRST_CALL_SECONDS = column(
    "first_call_seconds",
    DURATION,
    "time of the first forward in a new process, kernels included; for eager execution alone",
    "first call",
    "seconds",
)
COMPILE_SECONDS = column("compile_seconds", SIZE, "extra time of the first compiled pass", "compiling", "seconds")
CAPTURE_SECONDS = column("capture_seconds", SIZE, "time of capturing the pass in a CUDA graph", "capturing", "seconds")
QUARTILES_AND_INTERVAL = ("q1", "q3", "ci_low", "ci_high")
DEVICE_SECONDS = part(
    "device_seconds",
    column("median", DURATION, "median time on the GPU", "on the GPU itself", "seconds", name="device_seconds"),
    *(Field(name, DURATION, f"as seconds.{name}, on the GPU", "s") for name in QUARTILES_AND_INTERVAL),
    Field("n", SIZE, "number of passes timed on the GPU"),
)
LAUNCH_GAP = column(
    "launch_gap", SHARE, "on CUDA: share of seconds.median in which the GPU waits for Python", "launch gap", "share"
)
WARM_SECONDS = part(
    "warm_seconds",
    column("median", DURATION, "on CUDA: median time, operands cached", "warm cache", "seconds", name="warm_seconds"),
    *(Field(name, DURATION, f"as seconds.{name}, operands cached", "s") for name in QUARTILES_AND_INTERVAL),
    Field("n", SIZE, "number of passes timed with a warm cache"),
)
# The name of the row of all operators of a phase that have no row of their own.
OTHER_OPERATORS = "other operators"
OPERATOR = (
    Field("operator", TEXT, f"name of the operator; {OTHER_OPERATORS}; or what the pass does between operators"),
    Field("phase", TEXT, "forward, backward or optimiser; empty between the phases"),
    Field("seconds", SIZE, "own time, without that of other operators inside", "s"),
    Field("calls", SIZE, "number of calls"),
    Field("macs", SIZE, "MACs that run, which a faster path may have fewer of than the definition", "MAC"),
    Field("bytes", SIZE, "bytes that the operator reads and writes", "B"),
)
OPERATORS = part(
    "operators",
    column(
        "seconds",
        DURATION,
        "at the base point: mean time of the fastest quarter of the profiled passes",
        name="profiled_seconds",
        unit="s",
    ),
    column(
        "plain_seconds",
        DURATION,
        "the same without the profiler, in turns with it in one process",
        name="unprofiled_seconds",
        unit="s",
    ),
    Field("passes", SIZE, "number of profiled passes"),
    Field("rows", objects(shape_of(OPERATOR)), "what the profiled passes consist of, see the table of these objects"),
)
ROUNDING_ERROR = part(
    "rounding_error",
    column("output", SIZE, "relative error of the output in bfloat16 or tf32", "rounding, output", "error"),
    column("input_gradient", SIZE, "the same of the input's gradient", "rounding, gradient", "error"),
    prefix="rounding_",
)
PARAMETERS = column("parameters", SIZE, "number of learnable parameters", "parameters", "count")
EQUIVARIANCE_ERROR = column(
    "equivariance_error", SIZE, "worst relative error over elements that permute pixels", "equivariance error", "error"
)
MISSING = Field("missing", by_name(TEXT), "instruments that failed, and why")
# Variables of the environment that change times: how OpenMP's threads wait, and how glibc allocates.
ENVIRONMENT = ("omp_wait_policy", "gomp_spincount", "glibc_tunables")
PROVENANCE = part(
    "provenance",
    column("load_before", SIZE, "load average over one minute, before the measurement", "load before"),
    column("load_after", SIZE, "load average over one minute, after the measurement"),
    column(
        "load_between",
        SIZE,
        "mean load during the measurement: the load average without what ran before",
    ),
    column("measured_at", TEXT, "end of the measurement, ISO 8601 in UTC", "measured (UTC)", "minute"),
    column("commit", TEXT, "commit of the checkout that was measured", "commit", "commit"),
    column("dirty", FLAG, "whether tracked files differed from the commit"),
    *(column(name, TEXT, f"version of {name}") for name in ("python", "torch", "gcnn_impl", "fvcore")),
    column("platform", TEXT, "operating system"),
    column("cpu", TEXT, "name of the processor, and the numbers of its design; older records have the name alone"),
    column("cores", DURATION, "number of cores that the process may use"),
    column("cpu_quota", DURATION, "how many cores' time a quota of the system leaves; null without a quota"),
    column("gpu", TEXT, "name of the CUDA device; null on the CPU"),
    Field("device_name", TEXT, "name of the GPU or, on the CPU, of the processor"),
    Field("threads", DURATION, "size of torch's intra-op thread pool"),
    Field("frequency_before", SIZE, "clock of the cores (median; on CUDA that of the GPU) at the beginning", "MHz"),
    Field("frequency_after", SIZE, "the same at the end", "MHz"),
    Field("steal_share", SHARE, "share of the cores' time that the host gave to other virtual machines"),
    Field("throttled_periods", INTEGER, "periods in which a quota of the system stopped the process"),
    *(Field(name, TEXT, f"value of the environment's variable {name.upper()}") for name in ENVIRONMENT),
    Field("native", TEXT, "whether the operators in C were in use, and if not, why"),
    Field("own_code", by_name(TEXT), "a hash of the code of each user's layer and network, by its name"),
    column("driver", TEXT, "on CUDA: version of NVIDIA's driver"),
    column("cuda", TEXT, "on CUDA: version of CUDA that torch was built for"),
    *(column(name, TEXT, f"on CUDA: version of {name}") for name in ("cudnn", "triton")),
    column("gpu_memory_bytes", SIZE, "on CUDA: memory of the GPU", unit="B"),
    column("l2_bytes", SIZE, "on CUDA: size of the second-level cache", unit="B"),
    column("compute_capability", TEXT, "on CUDA: version of the GPU's instructions"),
    column("multiprocessors", SIZE, "on CUDA: number of multiprocessors"),
    column("mig", FLAG, "on CUDA: whether the GPU is divided into instances (MIG)"),
    column("gpu_operators", TEXT, "on CUDA: whether our operators in Triton are in use, and if not, why"),
    *part(
        "gpu_state",
        Field("source", TEXT, "on CUDA: the source of the state: NVML, or why another"),
        column("clock_lowest", SIZE, "lowest clock of the multiprocessors at the ends of the rounds", unit="MHz"),
        column("clock_max", SIZE, "highest clock that the GPU allows", unit="MHz"),
        column("temperature_highest", SIZE, "highest temperature of the GPU", unit="°C"),
        column("power_highest", SIZE, "highest power of the GPU", unit="W"),
        Field("slowdowns", TEXTS, "reasons for which the driver lowered the clock"),
        column("other_processes", SIZE, "number of other processes on the GPU, at most"),
        prefix="gpu_",
    ),
)
ISOLATED = column("isolated", FLAG, "whether the contender had a process of its own among those that took turns")
COST_MEASURED = (
    *(*SECONDS, *MEMORY, *MACS, *NOISE, *STAGES, *ROOFLINE, *ENERGY),
    *(
        CONSTRUCTION_SECONDS,
        FIRST_CALL_SECONDS,
        COMPILE_SECONDS,
        CAPTURE_SECONDS,
        *DEVICE_SECONDS,
        LAUNCH_GAP,
        *WARM_SECONDS,
        *OPERATORS,
        *ROUNDING_ERROR,
        PARAMETERS,
        EQUIVARIANCE_ERROR,
    ),
)
COST = (STATUS, *CASE, *COST_MEASURED, MESSAGE, MISSING, BLOCK, *STORED, ISOLATED, *PROVENANCE, ID)
CASE_ID = Field("case_id", TEXT, "id of the case that was timed twice in its block")
TWIN = (STATUS, MESSAGE, CASE_ID, BLOCK, *STORED, ISOLATED, *SECONDS, *PROVENANCE, ID)
