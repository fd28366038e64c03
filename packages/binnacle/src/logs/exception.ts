/** Errors as the field `exception`: type, message, stack and the chain of causes; any thrown thing has a form. */
import { types } from 'node:util';
import { type Budget, cleanText } from './text.ts';

/** One error of a line. */
export interface Exception {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  /** The error's own short code (`ECONNREFUSED`). */
  readonly code?: string;
  readonly cause?: Exception;
  /** The first errors of an AggregateError. */
  readonly errors?: readonly Exception[];
  /** How many more an AggregateError held. */
  readonly errors_cut?: number;
}

/** Causes are followed this deep. */
const CAUSE_DEPTH = 5;
/** Errors of an AggregateError that are described. */
const ERRORS_LIMIT = 5;
const CODE_LIMIT = 64;

/** Whether a value is an error, of this realm or another. */
export function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && (types.isNativeError(value) || isInstance(value));
}

function isInstance(value: object): boolean {
  try {
    return value instanceof Error;
  } catch {
    // A proxy may refuse to tell its prototype.
    return false;
  }
}

/** Describes whatever was thrown. Never throws; cycles of causes end where they close. */
export function describeThrown(thrown: unknown, budget: Budget): Exception {
  return describe(thrown, budget, 0, new Set());
}

function describe(thrown: unknown, budget: Budget, depth: number, seen: Set<unknown>): Exception {
  if (typeof thrown !== 'object' || thrown === null) return describePrimitive(thrown, budget);
  seen.add(thrown);
  budget.nodes -= 1;
  const stack = read(thrown, 'stack');
  const code = read(thrown, 'code');
  const cause = read(thrown, 'cause');
  const errors = read(thrown, 'errors');
  const followed = depth < CAUSE_DEPTH && budget.nodes > 0;
  return {
    type: cleanText(typeOf(thrown), budget),
    message: cleanText(messageOf(thrown), budget),
    ...(typeof stack === 'string' && stack !== '' && { stack: cleanText(stack, budget) }),
    ...(typeof code === 'string' && code !== '' && code.length <= CODE_LIMIT && { code: cleanText(code, budget) }),
    ...(cause !== undefined &&
      cause !== null &&
      followed &&
      !seen.has(cause) && { cause: describe(cause, budget, depth + 1, seen) }),
    ...(Array.isArray(errors) && followed && describeAll(errors, budget, depth, seen)),
  };
}

function describeAll(
  errors: readonly unknown[],
  budget: Budget,
  depth: number,
  seen: Set<unknown>,
): Pick<Exception, 'errors' | 'errors_cut'> {
  const shown: Exception[] = [];
  for (let i = 0; i < Math.min(errors.length, ERRORS_LIMIT); i++) {
    const error = read(errors, String(i));
    if (!seen.has(error)) shown.push(describe(error, budget, depth + 1, seen));
  }
  const cut = errors.length - ERRORS_LIMIT;
  return { errors: shown, ...(cut > 0 && { errors_cut: cut }) };
}

function describePrimitive(thrown: unknown, budget: Budget): Exception {
  return { type: thrown === null ? 'null' : typeof thrown, message: cleanText(String(thrown), budget) };
}

/** `TypeError`, `DbError`: the name, or the class's where the name was left as `Error`. */
function typeOf(thrown: object): string {
  const name = read(thrown, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  const maker = read(thrown, 'constructor');
  const className = typeof maker === 'function' ? read(maker, 'name') : undefined;
  if (typeof className === 'string' && className !== '') return className;
  return typeof name === 'string' && name !== '' ? name : 'Object';
}

function messageOf(thrown: object): string {
  const message = read(thrown, 'message');
  if (typeof message === 'string') return message;
  return message === undefined ? '' : String(typeof message === 'object' ? '[Object]' : message);
}

/** A property's value, or undefined where reading it throws. */
function read(source: object, key: string): unknown {
  try {
    return (source as Readonly<Record<string, unknown>>)[key];
  } catch {
    return undefined;
  }
}
