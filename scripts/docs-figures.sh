#!/usr/bin/env bash
# Draws the pictures of docs/figures again, from the runs in bench/measured. Needs `npm run build`.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
draw() {
  node dist/main.js figure "$@" --formats svg --out docs/figures
}
draw all --from bench/measured/h200-runs.tar.gz
draw 10 --system gh200
draw all --system gh200-nvl2
# SuperOffload as published was run by hand there: a folder without a record.
tar xzf bench/measured/overlap-direct.tar.gz -C "$scratch"
draw timeline --from bench/measured/overlap-runs.tar.gz --from "$scratch/direct/published" \
  --limits bench/measured/overlap-limits.json
# Their data are in the archive and in experiment/paper.
rm docs/figures/*.vl.json docs/figures/figure10-gh200-nvl2.svg docs/figures/timeline-{5b,7b,15b}-*.svg
