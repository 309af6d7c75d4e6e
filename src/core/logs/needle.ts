import { evidenceNeedles } from './evidence.ts';
import { formatNeedles } from './formats/registry.ts';

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** One expression for everything that any format or evidence rule could understand. */
export function needleExpression(flags: string): RegExp {
  const needles = [...new Set([...formatNeedles, ...evidenceNeedles])];
  const minimal = needles.filter(
    (needle) => !needles.some((other) => other !== needle && needle.includes(other)),
  );
  return new RegExp(minimal.map(escape).join('|'), flags);
}
