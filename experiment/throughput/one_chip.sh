#!/bin/bash
# Throughput on one chip (Figure 10): MODE MODEL_SIZE MICRO_BATCH ACTIVATION_CHECKPOINTING
exec bash "$(dirname "${BASH_SOURCE[0]}")/../published.sh" throughput 1 "$@"
