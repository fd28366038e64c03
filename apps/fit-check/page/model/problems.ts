/** What went wrong, said so that a reader knows what to do. */
import { FitCheckError } from '../../client/index.ts';
import { plainLine } from '../text/plain.ts';

/** `again`: the same question; `edit`: that one, changed; `ask`: any; `reload`: the same session, read again. */
export type Remedy = 'again' | 'edit' | 'ask' | 'reload';

export interface Problem {
  readonly title: string;
  readonly text: string;
  readonly remedy: Remedy;
  /** What the service calls the request in its logs. */
  readonly reference?: string;
}

type Words = Omit<Problem, 'reference'>;

const SAYINGS: Readonly<Partial<Record<FitCheckError['code'], Words>>> = {
  too_large: {
    title: 'That is too long',
    text: 'Shorten the text: the requirements and the tasks are what counts.',
    remedy: 'edit',
  },
  session_busy: {
    title: 'This analysis is running already',
    text: 'It was started elsewhere. Open it here to see its result once it is done.',
    remedy: 'reload',
  },
  too_many_sessions: {
    title: 'The service is busy',
    text: 'It runs as many analyses as it can bear at the moment. Please try again in a few seconds.',
    remedy: 'again',
  },
  shutting_down: {
    title: 'The service is restarting',
    text: 'This happens with updates and takes less than a minute. Please try again then.',
    remedy: 'again',
  },
  upstream_unavailable: {
    title: 'The analyst cannot be reached',
    text: 'Something that the service relies on does not answer. It looks again by itself: please try once more in half a minute.',
    remedy: 'again',
  },
  timeout: {
    title: 'That took too long',
    text: 'The analysis was stopped at its time limit. A second try is often quicker, and a shorter text helps.',
    remedy: 'again',
  },
  network: {
    title: 'The service cannot be reached',
    text: 'Check your connection, and whether the service runs. Then try again.',
    remedy: 'again',
  },
  not_found: {
    title: 'There is no analysis here',
    text: 'The link may be incomplete, or the analysis was not kept. Check the link, or ask anew.',
    remedy: 'ask',
  },
  cancelled: {
    title: 'Cancelled before it was done',
    text: 'What had been found by then is kept here; ask again for the whole of it.',
    remedy: 'again',
  },
  interrupted: {
    title: 'Interrupted',
    text: 'The service stopped while this analysis ran. Ask again for the whole of it.',
    remedy: 'again',
  },
  failed: {
    title: 'This analysis failed',
    text: 'No answer was stored. Please ask again.',
    remedy: 'again',
  },
  replaced: {
    title: 'This analysis was run again',
    text: 'Somebody asked anew under the same address. Reload to see what is there now.',
    remedy: 'reload',
  },
  protocol: {
    title: 'The answer cannot be read',
    text: 'This page may be older than the service. Reload it, and try again.',
    remedy: 'again',
  },
};

/** Codes that no log says more about. */
const OURS: ReadonlySet<string> = new Set(['not_found', 'bad_request', 'too_large', 'cancelled']);

const OTHERWISE: Words = {
  title: 'Something went wrong',
  text: 'It is the service’s fault, not yours. Please try again.',
  remedy: 'again',
};

/** `opened`: a stored analysis was to be read, and none was asked for. */
export function problemOf(error: unknown, opened: boolean): Problem {
  if (!(error instanceof FitCheckError)) return OTHERWISE;
  const words = error.code === 'bad_request' ? refusal(error) : (SAYINGS[error.code] ?? OTHERWISE);
  const seconds = Math.ceil((error.retryAfterMs ?? 0) / 1000);
  const text =
    error.code === 'too_many_sessions' && seconds > 0 && seconds <= 600
      ? words.text.replace('in a few seconds', `in ${seconds} second${seconds === 1 ? '' : 's'}`)
      : words.text;
  const canAsk = ['cancelled', 'interrupted', 'failed', 'timeout'].includes(error.code);
  const remedy = opened && words.remedy === 'again' && !canAsk ? 'reload' : words.remedy;
  return {
    ...words,
    text,
    remedy,
    ...(error.requestId !== undefined && !OURS.has(error.code) && { reference: plainLine(error.requestId, 128) }),
  };
}

/** The service says what is wrong with a question, and what is allowed. */
function refusal({ message }: FitCheckError): Words {
  return { title: 'The question was not accepted', text: plainLine(message, 300), remedy: 'edit' };
}

export const MIN_QUERY = 2;
export const MAX_QUERY = 20_000;

/** What is wrong with a question before it is sent; undefined where nothing is. */
export function whyNotAsk(query: string): string | undefined {
  const { length } = query.trim();
  if (length === 0) return 'Name a company, or paste a job description.';
  if (length < MIN_QUERY) return 'That is a little short: write at least 2 characters.';
  if (length > MAX_QUERY)
    return `That is ${count(length - MAX_QUERY)} characters too long: ${count(MAX_QUERY)} are read at most.`;
  return undefined;
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en');
}
