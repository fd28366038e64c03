/** One line as an object: pino's arguments, the context and the child's bindings, in the contract's order. */
import { addContext, CONTEXT_OWNED } from './context.ts';
import { isError } from './exception.ts';
import { addException, addFields } from './fields.ts';
import { type SafeFields, setField, toSafe } from './safe.ts';
import { type Budget, cleanText, createBudget } from './text.ts';

/** What a line has besides what its caller says. */
export interface LineFrame {
  readonly level: string;
  readonly logger: string;
  /** Bindings of the child logger; already safe. */
  readonly bound: SafeFields | undefined;
  readonly prefix: string | undefined;
  /** `module`, `function`, `line`, where they are asked for. */
  readonly caller: object | undefined;
  /** `service`, `version`, `environment`. */
  readonly origin: SafeFields;
}

/** pino's arguments, sorted out. */
interface Said {
  readonly fields: object | undefined;
  readonly thrown: unknown;
  readonly message: unknown;
  readonly rest: readonly unknown[];
}

/** Builds a line. Tells by `onWithoutContext` that no request was in hand. */
export function composeLine(frame: LineFrame, args: readonly unknown[], onWithoutContext: () => void): SafeFields {
  const budget = createBudget();
  const said = sortOut(args);
  const own: SafeFields = {};
  if (said.thrown !== undefined) addException(own, 'err', said.thrown, budget);
  const message = messageOf(said, own, budget);
  if (said.fields !== undefined) {
    addFields(own, said.fields, budget, said.message === undefined ? 'message' : undefined);
  }
  const line: SafeFields = {
    level: frame.level,
    logger: frame.logger,
    message: frame.prefix === undefined ? message : cleanText(frame.prefix, budget) + message,
  };
  if (!addContext(line)) onWithoutContext();
  if (frame.bound !== undefined) addOwn(line, frame.bound);
  addOwn(line, own);
  if (said.message === undefined && message === '') line.message = exceptionMessage(own);
  const exception = own.exception ?? frame.bound?.exception;
  if (exception !== undefined) line.exception = exception;
  if (frame.caller !== undefined) Object.assign(line, { ...frame.caller, ...pick(own, frame.caller) });
  return Object.assign(line, frame.origin);
}

/** A line's own fields win over the context's, but for the ids that the context owns. */
function addOwn(line: SafeFields, own: SafeFields): void {
  for (const key of Object.keys(own)) {
    // The exception stands behind the other fields.
    if (key === 'exception' || (CONTEXT_OWNED.has(key) && line[key] !== undefined)) continue;
    setField(line, key, own[key]);
  }
}

function pick(own: SafeFields, names: object): SafeFields {
  return Object.fromEntries(Object.entries(own).filter(([key]) => key in names));
}

function sortOut(args: readonly unknown[]): Said {
  const [first, message, ...rest] = args;
  if (typeof first === 'object' && first !== null) {
    if (isError(first)) return { fields: undefined, thrown: first, message, rest };
    return { fields: asFields(first), thrown: undefined, message, rest };
  }
  if (first === undefined || first === null) return { fields: undefined, thrown: undefined, message, rest };
  return { fields: undefined, thrown: undefined, message: first, rest: args.slice(1) };
}

/** pino takes a bare request or response as well. */
function asFields(first: object): object {
  try {
    const { method, headers, socket, setHeader } = first as Readonly<Record<string, unknown>>;
    if (method && headers && socket) return { req: first };
    return typeof setHeader === 'function' ? { res: first } : first;
  } catch {
    return first;
  }
}

function messageOf(said: Said, own: SafeFields, budget: Budget): string {
  const { message, rest, fields } = said;
  if (typeof message === 'string') {
    return cleanText(rest.length === 0 ? message : formatMessage(message, rest, own, budget), budget);
  }
  if (message !== undefined) return textOf(message, budget);
  const field = fields === undefined ? undefined : readMessage(fields);
  return field === undefined ? '' : textOf(field, budget);
}

function readMessage(fields: object): unknown {
  try {
    return (fields as { message?: unknown }).message;
  } catch {
    return undefined;
  }
}

function exceptionMessage(own: SafeFields): string {
  const { exception } = own as { exception?: { message?: unknown } };
  return typeof exception?.message === 'string' ? exception.message : '';
}

/** Fills `%s %d %i %f %j %o %O`; an error that is left over becomes the line's exception, other leftovers are dropped. */
function formatMessage(text: string, rest: readonly unknown[], own: SafeFields, budget: Budget): string {
  let next = 0;
  const filled = text.replace(/%([sdifjoO%])/g, (directive, kind: string) => {
    if (kind === '%') return '%';
    if (next >= rest.length) return directive;
    const value = rest[next++];
    if (kind === 's') return textOf(value, budget);
    if (kind === 'd' || kind === 'f') return textOf(toNumber(value), budget);
    if (kind === 'i') return textOf(Math.trunc(toNumber(value)), budget);
    return JSON.stringify(toSafe('', value, budget)) ?? 'undefined';
  });
  for (const left of rest.slice(next)) if (isError(left)) addException(own, 'err', left, budget);
  return filled;
}

function toNumber(value: unknown): number {
  try {
    return Number(value);
  } catch {
    return Number.NaN;
  }
}

function textOf(value: unknown, budget: Budget): string {
  if (typeof value === 'string') return cleanText(value, budget);
  const safe = toSafe('', value, budget);
  return typeof safe === 'string' ? safe : (JSON.stringify(safe) ?? 'undefined');
}
