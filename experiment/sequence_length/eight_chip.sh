#!/bin/bash
# Whether a sequence fits on 8 chips, and its MFU (Figure 12): MODE MODEL_SIZE SEQUENCE_LENGTH ACTIVATION_CHECKPOINTING
exec bash "$(dirname "${BASH_SOURCE[0]}")/../published.sh" sequence_length 8 "$@"
