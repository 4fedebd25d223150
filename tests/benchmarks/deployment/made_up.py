"""A made-up deployment: the frozen network takes half of the eager one's time, and ONNX was not measured."""

from benchmarks.cases.case import Case
from benchmarks.deployment.forms import FILES, Deployment, Form

CASE = Case(layer="resnet", channels=2, batch_size=4, image_size=16, resolution=4, kernel_size=3, threads=1)
WRITTEN = {"bytes": 2048, "writing_seconds": 0.25}


def measured(name: str, seconds: float) -> Form:
    """Return a form with three processes, whose passes take ``seconds``."""
    form = Form(name, **WRITTEN)
    for first in (9.0, 1.0, 2.0):
        form = form.plus({"first_answer": first, "passes": [seconds] * 10, "error": first * 1e-7})
    return form


def deployment() -> Deployment:
    """Return the deployment of ``CASE``."""
    times = {"eager": 0.4, "frozen": 0.2, "compiled": 0.8, "exported": 0.4}
    forms = [measured(name, times[name]) for name in FILES if name in times]
    forms.append(Form("onnx", "skipped: onnxscript is not installed"))
    return Deployment(CASE, tuple(forms), {"torch": (2.0, 3.0, 2.5), "gcnn_impl": (0.1, 0.1, 0.2)}, {"cpu": "a CPU"})
