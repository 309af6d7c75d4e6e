/** Expected time of one optimizer step and what it is made of. */
export interface StepTime {
  readonly stepMs: number;
  /** Serial parts; they sum to the step. */
  readonly parts: readonly { readonly what: string; readonly ms: number; readonly source: string }[];
}
