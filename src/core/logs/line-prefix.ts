/** What launchers and terminals put around a program's own line, taken off. */

export interface PlainLine {
  /** Global rank where the prefix or the message names one. */
  readonly rank: number | null;
  readonly text: string;
}

const escape = '\u001b';
const openBracket = 91;
const carriageReturn = 13;

/** Colour and cursor codes. */
const ansiCodes = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** `[rank3]:` of torch, `[default3]:` of `torchrun --tee`, `3: ` of `srun --label`. */
const rankPrefix = /^(?:\[(?:rank|default)(\d+)\]:\s?|\s*(\d{1,6}): )/;

/** `host: ` of pdsh, taken only where a known line follows, because `RuntimeError: ` looks the same. */
const hostPrefix = /^[A-Za-z0-9._-]+: (?=\[(?:rank|default)\d+\]:|\[20\d\d-| iteration +\d)/;

/** `[Rank 3]` inside a message of DeepSpeed or of the NCCL watchdog. */
const rankInMessage = /\[(?:PG[^\]]*? )?Rank (\d+)\]/;

/** Takes launcher prefixes, ANSI codes and the line end off, and says which rank wrote the line. */
export function readPrefix(line: string): PlainLine {
  let text = line;
  let rank: number | null = null;
  if (text.charCodeAt(text.length - 1) === carriageReturn) text = text.slice(0, -1);
  if (text.charCodeAt(0) === 32 && text.startsWith(' iteration ')) return { rank, text };
  if (text.includes(escape)) text = text.replace(ansiCodes, '');
  const host = hostPrefix.exec(text);
  if (host !== null) text = text.slice(host[0].length);
  const prefix = rankPrefix.exec(text);
  if (prefix !== null) {
    rank = Number(prefix[1] ?? prefix[2]);
    text = text.slice(prefix[0].length);
  }
  if (rank === null && text.charCodeAt(0) === openBracket) {
    const inMessage = rankInMessage.exec(text);
    if (inMessage !== null) rank = Number(inMessage[1]);
  }
  return { rank, text };
}
