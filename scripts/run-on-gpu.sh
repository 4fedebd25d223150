#!/usr/bin/env bash
# On the GPU machine, in the project's root, after scripts/gpu.sh has packed .gpu/: installs the packages into a temporary
# folder and runs the parts. OUT is the folder of the results; other words are options of benchmarks.evidence.gpu.
set -u
out=${OUT:-gpu-out} site=$(mktemp -d) data=$(mktemp -d) authors=$(mktemp -d)
trap 'rm -rf "$site" "$data" "$authors"' EXIT
export PYTHONUNBUFFERED=1 PYTHONPATH="$PWD:$site${PYTHONPATH:+:$PYTHONPATH}"
python=${PYTHON:-python3}
"$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$site" .gpu/wheels/*.whl ||
  echo "packages are missing: parts that need them will fail"
read -r GCNN_COMMIT GCNN_DIRTY <.gpu/commit && export GCNN_COMMIT GCNN_DIRTY
[ -f .gpu/authors.tgz ] && tar xzf .gpu/authors.tgz -C "$authors" && export GCNN_AUTHORS="$authors"
[ -f .gpu/mnist.tgz ] && tar xzf .gpu/mnist.tgz -C "$data" && set -- --data-root "$data" "$@"
"$python" -m benchmarks.evidence.gpu --out "$out" --device "${DEVICE:-cuda}" --scale "${SCALE:-full}" "$@" &
command=$!
trap 'kill -TERM "$command" 2>/dev/null' TERM INT
wait "$command"
status=$?
# A signal ends `wait`; the command then writes its table.
while kill -0 "$command" 2>/dev/null; do wait "$command"; status=$?; done
ls -l "$out"
exit "$status"
