#!/usr/bin/env bash
# Draws the pictures of docs/figures again, from the runs in bench/measured. Needs `npm run build`.
set -euo pipefail
cd "$(dirname "$0")/.."
draw() {
  node dist/main.js figure "$@" --formats svg --out docs/figures
}
draw all --from bench/measured/h200-runs.tar.gz
draw 10 --system gh200
draw all --system gh200-nvl2
draw timeline --from bench/measured/timelines-2b.tar.gz
draw ablation --from bench/measured/ablation-2b.tar.gz --from bench/measured/ablation-5b.tar.gz
# Their data are in the archive and in experiment/paper.
rm docs/figures/*.vl.json docs/figures/figure10-gh200-nvl2.svg
