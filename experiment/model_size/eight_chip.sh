#!/bin/bash
# The published README's name of sequence_length/eight_chip.sh: MODE MODEL_SIZE SEQUENCE_LENGTH ACTIVATION_CHECKPOINTING
echo "this is sequence length, of the folder sequence_length: running experiment/sequence_length/eight_chip.sh" >&2
exec bash "$(dirname "${BASH_SOURCE[0]}")/../published.sh" sequence_length 8 "$@"
