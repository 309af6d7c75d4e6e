#!/bin/bash
# Whether a model fits on one chip (Figure 13): MODE MODEL_SIZE
exec bash "$(dirname "${BASH_SOURCE[0]}")/../published.sh" model_size 1 "$@"
