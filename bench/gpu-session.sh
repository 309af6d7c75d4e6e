#!/usr/bin/env bash
# One call on a GPU machine, each of its steps with a time limit of its own, and everything kept after every step: a call
# that is cut off loses one step at most.
#
#   bench/gpu-session.sh ARCHIVE WORK OUT [--python P] STEP...   unpacks and installs what `gpu.sh make` wrote, then steps
#   bench/gpu-session.sh --here WORK OUT STEP...                 steps with this checkout and its SUPEROFFLOAD_HOME
#
# A STEP is one argument, `SECONDS WORDS`:
#   '480 campaign run bench/campaigns/overlap_2b.json --repeat 3'   any command of superoffload; files from here
#   '60 check plain clipped'                                        test/patches/check_overlap.py, on CUDA where there is one
#   '90 check x2 all@60'                                            the same on two GPUs
#   '120 check-host all@60'                                         test/patches/check_host_offload.py, as check does
#   '60 check-loops'                                                test/patches/check_loops.py, on one GPU
#   '60 limits'                                                     bench/overlap_limits.py, kept as limits.json
#
# OUT/session.tar.gz has runs/, campaigns/, tunes/, lock.json of the stack, what the steps printed and steps.tsv;
# `npx tsx bench/overlap.ts OUT/session.tar.gz` makes the tables of it. Exit status 4 where a step failed or was cut.
# TOTAL_SECONDS (570): nothing goes beyond it, packing included.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
total=${TOTAL_SECONDS:-570}
keep_seconds=10 # what packing takes at most
end_seconds=${END_SECONDS:-8} # for a run that is asked to end, and as long again for one that is made to

usage() {
  sed -n '5,21p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

[ $# -ge 4 ] || usage
archive=$1
mkdir -p "$2" "$3" || exit 2
work=$(realpath "$2") out=$(realpath "$3")
shift 3
python_of_machine=()
if [ "${1:-}" = --python ]; then
  python_of_machine=(--python "$2")
  shift 2
fi
for step in "$@"; do
  case $step in [1-9]*\ ?*) ;; *) echo "gpu-session.sh: '$step' is no 'SECONDS WORDS'" >&2; exit 2 ;; esac
done
log=$work/session
mkdir -p "$log"
rm -f "$log"/* # of an earlier call in this folder
: >"$log/steps.tsv"

if [ "$archive" = --here ]; then
  home=${SUPEROFFLOAD_HOME:-$root/.superoffload}
  node=node
  tool=("$node" --import "$root/node_modules/tsx/dist/esm/index.mjs" "$root/src/main.ts")
else
  archive=$(realpath "$archive")
  home=$work/.superoffload
  node=$work/bundle/bin/node
  tool=("$node" "$work/bundle/node_modules/superoffload/dist/main.js")
fi
export SUPEROFFLOAD_HOME=$home
lock=$home/stacks/pip/lock.json

# Written whole or not at all: the call may end in the middle.
keep() {
  local stage=$work/kept list=()
  mkdir -p "$stage"
  rm -f "$stage"/*
  if [ -f "$lock" ]; then cp "$lock" "$stage/lock.json"; fi
  cp "$log"/* "$stage"/
  for name in runs campaigns tunes; do if [ -d "$home/$name" ]; then list+=(-C "$home" "$name"); fi; done
  tar -czf "$out/.session.tar.gz" "${list[@]}" -C "$stage" . && mv "$out/.session.tar.gz" "$out/session.tar.gz"
}

# Python of the stack, with the environment that its lock says.
in_stack() {
  [ -f "$lock" ] || { echo "gpu-session.sh: there is no stack: $lock" >&2; return 3; }
  local settings python
  python=$(node_of '.python.path') || return 3
  mapfile -t settings < <(node_of '.environment')
  env "${settings[@]}" "$python" "$@"
}

# A field of the lock: a text, or an object as NAME=VALUE lines.
node_of() {
  "$node" -e '
    const value = process.argv[2].split(".").filter(Boolean).reduce((at, key) => at[key], JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")));
    console.log(typeof value === "string" ? value : Object.entries(value).map((pair) => pair.join("=")).join("\n"));
  ' "$lock" "$1"
}

run_step() {
  local words=()
  read -ra words <<<"$1"
  # Files are named from the checkout, and commands stand in the working folder.
  for i in "${!words[@]}"; do if [ -f "$root/${words[$i]}" ]; then words[i]=$root/${words[$i]}; fi; done
  case ${words[0]} in
    check | check-host | check-loops)
      local device=() program=check_overlap.py
      case ${words[0]} in check-host) program=check_host_offload.py ;; check-loops) program=check_loops.py ;; esac
      if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then device=(--cuda); fi
      local ranks=()
      case ${words[1]:-} in x[1-9]*) ranks=(-m torch.distributed.run --standalone --nproc-per-node "${words[1]#x}"); unset 'words[1]' ;; esac
      in_stack "${ranks[@]}" "$root/test/patches/$program" "${device[@]}" "${words[@]:1}"
      ;;
    limits) in_stack "$root/bench/overlap_limits.py" "${words[@]:1}" >"$log/limits.json" ;;
    *) cd "$work" && exec "${tool[@]}" "${words[@]}" ;;
  esac
}

# SIGINT first: the tool ends its run, keeps what it has, and the next step begins. The second one makes it kill the run,
# which the death of the tool alone would not: a run is no child of its group, and would train beside the next step.
limited() {
  local limit=$1 pid watcher status
  shift
  set -m
  "$@" &
  pid=$!
  (
    sleep "$limit"
    for signal in INT INT KILL; do
      kill "-$signal" -- "-$pid"
      sleep "$end_seconds"
    done
  ) 2>/dev/null &
  watcher=$!
  set +m
  wait "$pid"
  status=$?
  kill -- "-$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  return "$status"
}

failed=0
number=0
report() { printf '%s\t%ss\t%s\n' "$2" "$3" "$1" | tee -a "$log/steps.tsv" >&2; }

if [ "$archive" != --here ]; then
  begun=$SECONDS
  limited $((total - SECONDS - 2 * end_seconds)) "$root/bench/gpu.sh" run "$archive" "$work" "${python_of_machine[@]}" stacks list >"$log/install.log" 2>&1
  status=$?
  report install "$status" $((SECONDS - begun))
  keep
  [ "$status" = 0 ] || { tail -n 20 "$log/install.log" >&2; exit 4; }
fi

for step in "$@"; do
  number=$((number + 1))
  limit=${step%% *} words=${step#* }
  left=$((total - SECONDS - keep_seconds - 2 * end_seconds))
  if [ "$left" -lt 10 ]; then
    report "$words" 'not begun' 0
    failed=1
    continue
  fi
  if [ "$limit" -gt "$left" ]; then limit=$left; fi
  begun=$SECONDS
  limited "$limit" run_step "$words" >"$log/step$number.out" 2>"$log/step$number.err"
  status=$?
  [ "$status" = 0 ] || failed=1
  report "$words" "$status" $((SECONDS - begun))
  tail -n 30 "$log/step$number.out"
  if [ "$status" != 0 ]; then tail -n 10 "$log/step$number.err" >&2; fi
  keep
done
[ "$failed" = 0 ] || exit 4
