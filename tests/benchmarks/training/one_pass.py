"""A script for ``test_parallel``: all started processes make one pass of a network with dropout."""

import contextlib
import os
import sys

import torch
from torch.nn.functional import cross_entropy

from benchmarks.training.parallel import WHOLE, distribute, process_group
from gcnn_impl import SO2
from gcnn_impl.models import GroupResNet, GroupResNetConfig

BATCH = 9  # odd, so that two processes get different numbers of rows


def main(path: str) -> None:
    """Write the loss, the gradients and the state of the network to a file."""
    together = int(os.environ.get("WORLD_SIZE", "1")) > 1
    with process_group("cpu", 60) if together else contextlib.nullcontext(WHOLE) as share:
        torch.manual_seed(0)
        config = GroupResNetConfig(1, 10, (2, 2, 4), 3, group=SO2(4), channel_dropout=0.2)
        model = GroupResNet(config).double().train()
        images, labels = torch.randn(BATCH, 1, 12, 12, dtype=torch.float64), torch.randint(10, (BATCH,))
        call = distribute(model, share, BATCH) if together else model
        rows = share.rows(BATCH)
        loss = cross_entropy(call(images[rows]), labels[rows], reduction="sum") / BATCH
        (loss * share.count).backward()
        found = {"loss": share.total(loss.detach())}
        found |= {f"gradient {name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
        found |= {f"state {name}": value for name, value in model.state_dict().items()}
        if share.rank == 0:
            torch.save(found, path)


if __name__ == "__main__":
    main(sys.argv[1])
