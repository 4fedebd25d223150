"""The words of the page and what they mean, for readers from other fields."""

GLOSSARY = (
    ("group convolution", "a convolution that also shifts over rotations, scales or reflections of its kernel"),
    ("equivariance", "turning the input turns the output: the error is the relative difference of both orders"),
    (
        "H, |H|",
        "the subgroup of rotations, scales or reflections, and how many of its elements a layer samples: "
        "the group resolution",
    ),
    ("lifting", "the first layer of a network on a group: an image becomes maps on the plane and on H"),
    ("full", "a kernel over the plane and H at once"),
    ("separable", "a kernel that mixes H and channels first (1 × 1), and convolves each channel in space after"),
    (
        "gseparable, dseparable, dgseparable",
        "kernels with other factors: of H and space; of channels and the rest; of all three",
    ),
    ("plain", "the ordinary convolution, without a group"),
    ("averaged", "a plain network whose logits are averaged over |H| turned copies of an image"),
    ("canonical", "a small network on a group turns the image upright, and a plain network classifies it"),
    ("custom", "a layer or network of a user"),
    (
        "study, runs",
        "networks trained alike, on the same images and with the same batch and budget; a study also matches widths "
        "and searches learning rates, runs of “train” do not",
    ),
    ("MACs", "multiply–accumulates by the definition of a layer, of one forward pass"),
    ("inference, forward", "one pass in evaluation mode, with kernels from the cache"),
    ("training pass, forward + backward", "kernels generated, gradients of the parameters and of the input"),
    ("peak memory", "the most that one pass holds above what was allocated before it"),
    ("roofline", "the best rate at a number of MACs per byte, limited by copying or by multiplying on this machine"),
    ("noise floor", "the smallest difference that unchanged code hardly ever shows here"),
    ("A/A pair", "one layer timed as if it were two, to see how much equal code differs"),
    ("round", "a fresh process in which all layers of a block take turns"),
    ("C, width", "the channels of a layer; of a network, those of its first layers"),
    ("maps", "what a layer computes for an image: C, and on a group C · |H|; at equal maps, plain has |H| times the C"),
    (
        "clearly beats",
        "is at least as good in accuracy and one cost by its mean or median, and shown to be better in one: by 95 % "
        "intervals of times that do not overlap, by counts, or by a test of accuracies",
    ),
    ("on the front", "no other network clearly beats this one in accuracy and one cost"),
    (
        "test of accuracies",
        "a paired t test over the seeds that two networks share, corrected by Bonferroni: at most 5 % of studies have "
        "a wrong “more accurate” or “less accurate”",
    ),
    ("not told apart", "a test, corrected for all pairs, finds no difference; that is not a proof that there is none"),
    (
        "not told apart among all pairs",
        "the interval of this pair alone leaves out 0, but the test, corrected for all pairs, finds no difference",
    ),
    (
        "shown to be within 1 point",
        "a test, corrected for all comparisons with the network of the highest mean, shows that the accuracy is less "
        "than 1 point below that of this network",
    ),
    ("noisy", "a time whose record has too few samples, or signs of a disturbed machine"),
)
