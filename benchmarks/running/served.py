"""The loop of a process that answers tasks; ``server`` starts it and sends them."""

import importlib
import importlib.util
import os
from multiprocessing.connection import Connection

from benchmarks.running.isolated import COPIED
from benchmarks.running.supervised import supervise

PACKAGE = "gcnn_impl"


def serve(descriptor: int, lease: int, module: str) -> None:
    """Answer the tasks that ``Server.ask`` sends, until the other process closes the pipe or the lease, or dies.

    Args:
        module: the module whose class ``Answers`` is called with every task. None asks for the path of the package.
    """
    supervise(lease)
    own = os.getpid()
    answer = importlib.import_module(module).Answers()
    connection = Connection(descriptor)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        if task is None:
            spec = importlib.util.find_spec(PACKAGE)
            reply = spec and spec.origin
        else:
            reply = answer(task)
        if os.getpid() != own:  # the original would give a second answer
            connection.send(COPIED._replace(status="killed"))
            os._exit(1)
        connection.send(reply)
