/**
 * Environment markers of a requirements file (packaging.python.org, "Dependency specifiers"): the part that
 * `uv pip compile --universal` writes. Values in, truth out.
 */
import { versionOrder } from '../stack/version.ts';

export interface MarkerEnvironment {
  /** `3.11.7` */
  readonly pythonVersion: string;
  /** Python's word: `linux`. */
  readonly sysPlatform: string;
  /** Python's word: `x86_64`, `aarch64`. */
  readonly machine: string;
}

type Token = string;

/** @throws Error on a marker that is not understood: a resolved file of ours must not be guessed at. */
export function markerHolds(marker: string, environment: MarkerEnvironment): boolean {
  const tokens = marker.match(/\(|\)|'[^']*'|"[^"]*"|[<>=!~]+|[\w.]+/g) ?? [];
  const state = { tokens, next: 0 };
  const result = anyOf(state, environment);
  if (state.next !== tokens.length) throw notUnderstood(marker);
  return result;
}

interface State {
  readonly tokens: readonly Token[];
  next: number;
}

function anyOf(state: State, environment: MarkerEnvironment): boolean {
  let result = allOf(state, environment);
  while (accept(state, 'or')) result = allOf(state, environment) || result;
  return result;
}

function allOf(state: State, environment: MarkerEnvironment): boolean {
  let result = single(state, environment);
  while (accept(state, 'and')) result = single(state, environment) && result;
  return result;
}

function single(state: State, environment: MarkerEnvironment): boolean {
  if (accept(state, '(')) {
    const result = anyOf(state, environment);
    if (!accept(state, ')')) throw notUnderstood(state.tokens.join(' '));
    return result;
  }
  const [variable = '', operator = '', quoted = ''] = state.tokens.slice(state.next, state.next + 3);
  state.next += 3;
  return compare(variable, operator, quoted.slice(1, -1), environment);
}

function compare(variable: string, operator: string, value: string, environment: MarkerEnvironment): boolean {
  switch (variable) {
    case 'python_full_version':
      return versionHolds(environment.pythonVersion, operator, value);
    case 'python_version':
      return versionHolds(environment.pythonVersion.split('.').slice(0, 2).join('.'), operator, value);
    case 'sys_platform':
      return compareText(environment.sysPlatform, operator, value);
    case 'platform_machine':
      return compareText(environment.machine, operator, value);
    default:
      throw notUnderstood(`${variable} ${operator} '${value}'`);
  }
}

function compareText(actual: string, operator: string, value: string): boolean {
  if (operator === '==') return actual === value;
  if (operator === '!=') return actual !== value;
  throw notUnderstood(`${operator} '${value}'`);
}

function versionHolds(actual: string, operator: string, value: string): boolean {
  if (value.endsWith('.*')) {
    const inside = `${actual}.`.startsWith(value.slice(0, -1));
    return operator === '!=' ? !inside : inside;
  }
  const order = versionOrder(actual, value);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    default:
      throw notUnderstood(`${operator} '${value}'`);
  }
}

function accept(state: State, token: Token): boolean {
  if (state.tokens[state.next] !== token) return false;
  state.next += 1;
  return true;
}

function notUnderstood(text: string): Error {
  return new Error(`environment marker not understood: ${text}`);
}
