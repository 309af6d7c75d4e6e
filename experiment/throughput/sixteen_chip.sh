#!/bin/bash
# Throughput on 16 chips (Figure 11): MODE MODEL_SIZE MICRO_BATCH ACTIVATION_CHECKPOINTING
exec bash "$(dirname "${BASH_SOURCE[0]}")/../published.sh" throughput 16 "$@"
