import { encodeTokens, tokenTypeFor } from './tokens.ts';

/**
 * Synthetic text for benchmarks: the Markov chain of the built-in trainer (experiment/trainer/data.py) cut into
 * documents. Token s, one of the first 1,024, is followed by `order[(s + step) % states]` with one of four steps, of
 * probability 0.7, 0.15, 0.1 and 0.05: a bijection for each step, so that all states are equally frequent, and a model
 * that has learned it has a loss of {@link syntheticEntropy}. The last token of the vocabulary ends every document, as GPT-2's does.
 * The same request gives the same bytes on every machine: all arithmetic is of whole numbers below 2^53.
 */
export interface SyntheticRequest {
  /** Token ids are below it. At least 2: one state and the end of a document. */
  readonly vocabulary: number;
  readonly tokens: number;
  readonly seed: number;
}

/** As in experiment/trainer/train.py: more would take a model longer to learn than a benchmark lasts. */
const maxStates = 1024;
const stepShares = [0.7, 0.15, 0.1, 0.05] as const;

/** Nats a token within a document, whatever the seed, with five or more tokens in the vocabulary. */
export const syntheticEntropy = stepShares.reduce((sum, share) => sum - share * Math.log(share), 0);

/** What tells one synthetic set from another, as a file name. */
export function syntheticName({ vocabulary, tokens, seed }: SyntheticRequest): string {
  return `v${vocabulary}-n${tokens}-s${seed}`;
}

/** Writes itself piece by piece: sets of many gigabytes never lie in memory. */
export class SyntheticText {
  readonly type: 'uint16' | 'int32';
  /** Tokens of each document that was begun, the newest perhaps not ended. */
  readonly documentTokens: number[] = [];
  readonly #request: SyntheticRequest;
  readonly #random: () => number;
  readonly #states: number;
  readonly #steps: readonly number[];
  readonly #order: Int32Array;
  #written = 0;
  #state = 0;
  /** Tokens that the document at hand still takes, its end included. */
  #rest = 0;

  constructor(request: SyntheticRequest) {
    this.#request = request;
    this.type = tokenTypeFor(request.vocabulary);
    this.#random = randomWords(request.seed);
    this.#states = Math.min(request.vocabulary - 1, maxStates);
    this.#steps = [...shuffled(this.#states, this.#random).subarray(0, 4)];
    this.#order = shuffled(this.#states, this.#random);
  }

  /** @returns bytes of the .bin, of at most so many tokens; null after the last one. */
  next(tokens: number): Uint8Array | null {
    const count = Math.min(tokens, this.#request.tokens - this.#written);
    if (count === 0) return null;
    const piece = this.type === 'uint16' ? new Uint16Array(count) : new Int32Array(count);
    for (let i = 0; i < count; i++) piece[i] = this.#token();
    return encodeTokens(this.type, piece);
  }

  #token(): number {
    if (this.#rest === 0) {
      this.#rest = Math.min(documentLength(this.#random), this.#request.tokens - this.#written);
      this.documentTokens.push(this.#rest);
      this.#state = this.#random() % this.#states;
    }
    this.#written += 1;
    this.#rest -= 1;
    if (this.#rest === 0) return this.#request.vocabulary - 1;
    const step = this.#steps[choice(this.#random()) % this.#steps.length] ?? 0;
    this.#state = this.#order[(this.#state + step) % this.#states] ?? 0;
    return this.#state;
  }
}

/** Which of the four steps a random word takes. */
function choice(word: number): number {
  const percent = word % 100;
  return percent < 70 ? 0 : percent < 85 ? 1 : percent < 95 ? 2 : 3;
}

/** 32 to 16,383 tokens, about log-normal, their median near 1,050: the octave is a sum, its fraction even. */
function documentLength(random: () => number): number {
  const octave = 5 + (random() % 3) + (random() % 4) + (random() % 5);
  return Math.min(2 ** octave + (random() % 2 ** octave), 16_383);
}

/** 0 ... count - 1 in random order (Fisher-Yates). */
function shuffled(count: number, random: () => number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = random() % (i + 1);
    [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
  }
  return order;
}

/** 32-bit words: Marsaglia's xorshift128 (Xorshift RNGs, 2003), its state filled by a multiplicative hash of the seed. */
function randomWords(seed: number): () => number {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  let [x, y, z, w] = [mixed(low, 1), mixed(high, 2), mixed(low, 3), mixed(high, 4) | 1];
  return () => {
    const t = x ^ (x << 11);
    [x, y, z] = [y, z, w];
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w >>> 0;
  };
}

function mixed(word: number, round: number): number {
  let value = (word + Math.imul(round, 0x9e3779b9)) | 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
