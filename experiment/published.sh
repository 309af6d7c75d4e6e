#!/bin/bash
# What the arguments of the published scripts mean here: published.sh EXPERIMENT CHIPS, then theirs in their order.
# What follows them goes to superoffload as it is: --system gh200, --dry-run, ...
# SUPEROFFLOAD_WORKLOAD=megatron trains Megatron-DeepSpeed, as they do, in place of the built-in trainer.
set -euo pipefail

case "${1:-}" in
"" | -h | --help)
  echo "usage: bash experiment/published.sh EXPERIMENT CHIPS ARGUMENTS..., where EXPERIMENT is throughput, model_size or"
  echo "sequence_length; the scripts in those folders call it, and say their arguments with --help"
  [[ -n "${1:-}" ]] && exit 0
  exit 2
  ;;
esac

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
experiment="$1"
chips="$2"
shift 2

case "$chips" in 1) word=one ;; 4) word=four ;; 8) word=eight ;; 16) word=sixteen ;; *) word="$chips" ;; esac
script="experiment/$experiment/${word}_chip.sh"
modes=(prism zero_offload zero_infinity)
[[ "$experiment" == sequence_length ]] && modes=(prism-ulysses ulysses)

help() {
  local arguments="MODE MODEL_SIZE"
  [[ "$experiment" == throughput ]] && arguments+=" MICRO_BATCH ACTIVATION_CHECKPOINTING"
  [[ "$experiment" == sequence_length ]] && arguments+=" SEQUENCE_LENGTH ACTIVATION_CHECKPOINTING"
  echo "usage: bash $script $arguments [FLAGS OF superoffload]"
  echo "  MODE: one of ${modes[*]}"
  echo "  MODEL_SIZE: a size of experiment/model.json, see: superoffload models"
  [[ "$experiment" != throughput ]] || echo "  MICRO_BATCH: sequences a chip and forward pass, such as 8"
  [[ "$experiment" != sequence_length ]] || echo "  SEQUENCE_LENGTH: tokens, such as 65536 or 64K"
  [[ "$experiment" == model_size ]] || echo "  ACTIVATION_CHECKPOINTING: true or false"
}

usage() {
  { echo "$1" && help; } >&2
  exit 2
}

if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then
  help
  echo "  FLAGS OF superoffload: --dry-run, --system gh200, ...; all of them: superoffload ${experiment//_/-} --help"
  exit 0
fi

# The published README names the folder model_size in its commands for sequence lengths.
if [[ "$experiment" == model_size && "${1:-}" == *ulysses ]]; then
  echo "this is sequence length, of the folder sequence_length: running experiment/sequence_length/${word}_chip.sh" >&2
  exec bash "${BASH_SOURCE[0]}" sequence_length "$chips" "$@"
fi

mode="${1:-}"
size="${2:-}"
[[ -n "$mode" ]] || usage "MODE is missing"
[[ " ${modes[*]} " == *" $mode "* ]] || usage "Invalid mode: '$mode'. Valid modes are: ${modes[*]}"
[[ -n "$size" ]] || usage "MODEL_SIZE is missing"
case "$size" in
100B)
  echo "MODEL_SIZE 100B: 45x16384, which the paper calls 150B" >&2
  size=100B-artifact
  ;;
15B | 70B | 200B) echo "MODEL_SIZE $size: the paper's shape; that of the published file is ${size}-artifact" >&2 ;;
esac
shift 2

# Sets `recompute` to the flag that stands for true or false.
read_checkpointing() {
  case "${1:-}" in
  true) recompute=--activation-checkpointing ;;
  false) recompute=--no-activation-checkpointing ;;
  "") usage "ACTIVATION_CHECKPOINTING is missing" ;;
  *) usage "ACTIVATION_CHECKPOINTING is '$1'" ;;
  esac
}

flags=(--chips "$chips" --mode "$mode" --model "$size")
case "$experiment" in
throughput)
  [[ -n "${1:-}" ]] || usage "MICRO_BATCH is missing"
  [[ "$1" =~ ^[1-9][0-9]*$ ]] || usage "MICRO_BATCH is '$1'"
  read_checkpointing "${2:-}"
  # The paper's batches. The published script for 16 chips asks for 8, which 16 ranks cannot share.
  case "$chips" in 1) batch=8 ;; 4) batch=16 ;; *) batch=128 ;; esac
  flags+=(--micro-batch "$1" --global-batch "$batch" "$recompute")
  [[ "$chips" == 16 ]] && flags+=(--sequence-length 2048)
  shift 2
  verb=throughput
  ;;
model_size) verb=model-size ;;
sequence_length)
  [[ -n "${1:-}" ]] || usage "SEQUENCE_LENGTH is missing"
  [[ "$1" =~ ^[1-9][0-9]*K?$ ]] || usage "SEQUENCE_LENGTH is '$1'"
  read_checkpointing "${2:-}"
  tokens="$1"
  [[ "$tokens" == *K ]] && tokens=$((${tokens%K} * 1024))
  flags+=(--sequence-length "$tokens" "$recompute")
  shift 2
  verb=sequence-length
  ;;
esac
[[ -n "${SUPEROFFLOAD_WORKLOAD:-}" ]] && flags+=(--workload "$SUPEROFFLOAD_WORKLOAD")

# A clone that was built, else what is installed.
tool=(node "$here/../dist/main.js")
[[ -f "$here/../dist/main.js" ]] || tool=(npx --no-install superoffload)
echo "superoffload $verb ${flags[*]} $*" >&2
exec "${tool[@]}" "$verb" "${flags[@]}" "$@"
