#!/usr/bin/env bash
# Packs into .gpu/ what a GPU machine without a network lacks, and prints the call. Run it in the root of the project.
#   MNIST=PATH    folder that contains MNIST/raw (default: data); without it the networks train on scikit-learn's digits
#   AUTHORS=PATH  checkout of the authors' code, to measure their layers, too
#   PYTHON=PATH   the python with pip that fetches the packages (default: python3)
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3} mnist=${MNIST:-data}
# Such a machine has torch, triton, numpy, scipy, scikit-learn, pandas, seaborn, jinja2, psutil, tqdm, tabulate, joblib,
# pyyaml, portalocker, torchvision, nvidia-ml-py and pytest. These are missing: fvcore with its needs, itables, and escnn
# with those of its needs that matter on the plane (benchmarks/workloads/peers/escnn.py). All of them are pure Python.
needed=(fvcore iopath yacs termcolor itables)
peers=(escnn pymanopt autograd)

rm -rf .gpu && mkdir -p .gpu/wheels
"$python" -m pip wheel -q --no-deps -w .gpu/wheels "${needed[@]}"
"$python" -m pip wheel -q --no-deps -w .gpu/wheels "${peers[@]}" || echo "without escnn: its packages could not be fetched"
if [ -d "$mnist/MNIST" ]; then
  tar czf .gpu/mnist.tgz -C "$mnist" MNIST
else
  echo "without MNIST: $mnist/MNIST is not there; MNIST=PATH names the folder that has it"
fi
if [ -n "${AUTHORS:-}" ]; then
  tar czf .gpu/authors.tgz --exclude=.git --exclude='*.ipynb' -C "$AUTHORS" .
fi
# Records name the commit also where git is missing.
changed=$(git status --porcelain --untracked-files=no)
echo "$(git rev-parse HEAD) ${changed:+dirty}" >.gpu/commit
cp scripts/run-on-gpu.sh .gpu/run.sh
size() { xargs -0 du -ck | awk 'END { printf "%.1f", $1 / 1024 }'; }
echo ".gpu/ has $(find .gpu -type f -print0 | size) MiB, the files in git $(git ls-files -z | size) MiB"
echo "on the GPU machine, in the project's root with .gpu/ in it, at most 560 s: bash .gpu/run.sh"
