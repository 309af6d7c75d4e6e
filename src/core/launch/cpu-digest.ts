/**
 * Shell lines that set `flags` and `isa`, the instructions of this machine's CPU and the digest of them and its model:
 * the same as the probe's (adapters/probe/machine.ts, core/machine/proc.ts), by which builds of ops are told apart.
 */
export const cpuDigestLines = [
  'field() { sed -n "s/^$1[[:blank:]]*:[[:blank:]]*\\(.*[^[:blank:]]\\)[[:blank:]]*$/\\1/p" /proc/cpuinfo | head -n 1; }',
  "model=$(field 'model name')",
  'arm=$(echo $(field "CPU implementer") $(field "CPU part") $(field "CPU variant"))',
  '[ -n "$model" ] || if [ -n "$arm" ]; then model="Arm $arm"; else model=unknown; fi',
  'flags=$(field flags); [ -n "$flags" ] || flags=$(field Features)',
  'flags=$(echo $(printf "%s\\n" $flags | LC_ALL=C sort))',
  'isa=$(printf %s "$model${flags:+ }$flags" | sha256sum | cut -c 1-8)',
] as const;
