#!/bin/bash
# Whether a model fits on 4 chips (Figure 13): MODE MODEL_SIZE
exec bash "$(dirname "${BASH_SOURCE[0]}")/../published.sh" model_size 4 "$@"
