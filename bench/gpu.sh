#!/usr/bin/env bash
# Carries superoffload to a GPU machine that has no Node and no network: one archive with Node, this package, its
# production modules, and the wheels that DeepSpeed needs beside an installed torch.
#
#   bench/gpu.sh make [DIR]                       here: writes DIR/superoffload-gpu.tar.xz (default bench/.bundle)
#   gpu.sh run ARCHIVE WORKDIR [--python P] ARGS...   there: unpacks and installs once, then `superoffload ARGS...`
#
# With MEGATRON_SOURCE=URL|PATH, `make` adds Megatron-DeepSpeed at that repository's branch superoffload, its packages
# and a git for a machine that has none; `run` then installs --with megatron.
#
# Needs here: npm ci, `superoffload install`, and python3 with pip. Both machines: x86-64 Linux, and there a glibc
# that is not older than here.
set -euo pipefail

python_version=${PYTHON_VERSION:-3.12} # of the GPU machine
limit_mib=60
pure='annotated-types einops hjson packaging py-cpuinfo tqdm typing-extensions typing-inspection'
compiled='msgpack ninja psutil pydantic pydantic-core'
megatron='annotated-doc anyio click fsspec h11 hf-xet httpcore2 httpx2 huggingface-hub idna markdown-it-py mdurl
  pybind11 pygments pyyaml regex rich safetensors shellingham six tokenizers transformers truststore typer filelock'

make_bundle() {
  local root out work
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  out=${1:-$root/bench/.bundle}
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder of now, not of then
  trap "rm -rf '$work'" EXIT
  mkdir -p "$out" "$work/bundle/bin" "$work/bundle/wheels" "$work/app"
  cp "$(node -p process.execPath)" "$work/bundle/bin/node"
  strip --strip-unneeded "$work/bundle/bin/node"
  cp "${BASH_SOURCE[0]}" "$work/bundle/gpu.sh"
  (cd "$root" && npm pack --silent --pack-destination "$work" >/dev/null)
  (cd "$work/app" && npm install --silent --no-save --omit=dev --ignore-scripts "$work"/superoffload-*.tgz >/dev/null)
  mv "$work/app/node_modules" "$work/bundle/node_modules"
  make_wheels "$root" "$work/bundle/wheels"
  if [ -n "${MEGATRON_SOURCE:-}" ]; then make_megatron "$work/bundle"; fi
  tar -C "$work" -c bundle | xz -9 -T0 >"$out/superoffload-gpu.tar.xz"
  local mib=$(($(stat -c %s "$out/superoffload-gpu.tar.xz") >> 20))
  echo "$out/superoffload-gpu.tar.xz: $mib MiB"
  [ "$mib" -lt "$limit_mib" ] || { echo "gpu.sh: the bundle must stay under $limit_mib MiB" >&2; exit 1; }
}

# The versions of experiment/stacks/pip.txt. DeepSpeed is published as source only, and its setup imports torch: its
# wheel (pure Python, no op compiled) is built with the installed stack.
make_wheels() {
  local root=$1 wheels=$2 python=${SUPEROFFLOAD_HOME:-$1/.superoffload}/stacks/pip/venv/bin/python
  local tag abi=(--python-version "$python_version" --implementation cp)
  for tag in manylinux_2_28 manylinux_2_17 manylinux2014 manylinux1 manylinux_2_12; do
    abi+=(--platform "${tag}_x86_64")
  done
  # shellcheck disable=SC2046,SC2086  # one word a requirement
  python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$wheels" "${abi[@]}" \
    $(pinned "$root" $pure $compiled ${MEGATRON_SOURCE:+$megatron})
  # shellcheck disable=SC2046
  DS_BUILD_OPS=0 python3 -m pip --python "$python" wheel --quiet --no-deps --no-build-isolation \
    --no-binary deepspeed --wheel-dir "$wheels" $(pinned "$root" deepspeed)
}

pinned() {
  local root=$1 name
  shift
  for name in "$@"; do
    grep -hoE "^$name==[^ ;]+" "$root"/experiment/stacks/{pip,megatron}.txt | tail -n 1
  done
}

make_megatron() {
  local bundle=$1 source=$MEGATRON_SOURCE
  if [ -d "$source" ]; then source=file://$(realpath "$source"); fi
  git clone --quiet --bare --depth 1 --branch superoffload "$source" "$bundle/megatron.git"
  mkdir -p "$bundle/git/lib"
  cp "$(git --exec-path)/git" "$bundle/git/git"
  ln -s git "$bundle/git/git-upload-pack"
  cp -L $(ldd "$bundle/git/git" | awk '/libpcre|libz/ { print $3 }') "$bundle/git/lib/"
}

run_bundle() {
  local archive=$1 work=$2 python
  shift 2
  python=$(command -v python3)
  if [ "${1:-}" = --python ]; then
    python=$2
    shift 2
  fi
  mkdir -p "$work"
  if [ ! -x "$work/bundle/bin/node" ]; then
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="tar")' "$archive" "$work"
  fi
  PATH=$work/bundle/bin:$PATH
  cd "$work"
  local with=()
  if [ -d "$work/bundle/megatron.git" ]; then
    if ! command -v git >/dev/null; then
      export GIT_EXEC_PATH=$work/bundle/git LD_LIBRARY_PATH=$work/bundle/git/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
      PATH=$PATH:$work/bundle/git
    fi
    with=(--with megatron --source "megatron=$work/bundle/megatron.git" --apex "${APEX:-overlay}")
  fi
  local tool=("$work/bundle/bin/node" "$work/bundle/node_modules/superoffload/dist/main.js")
  "${tool[@]}" install --python "$python" --overlay --offline --find-links "$work/bundle/wheels" \
    "${with[@]}" >&2
  "${tool[@]}" "$@"
}

case ${1:-} in
  make) shift; make_bundle "$@" ;;
  run) shift; run_bundle "$@" ;;
  *) sed -n '2,9p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
