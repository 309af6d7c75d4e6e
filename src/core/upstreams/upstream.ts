/** The repositories that this tool can install from source, by the name that flags and folders use. */
export const upstreamNames = ['deepspeed', 'megatron', 'apex'] as const;
export type UpstreamName = (typeof upstreamNames)[number];
