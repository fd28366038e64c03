/** SearXNG's JSON search, or anything that answers in its form. */
import { type Finding, webFinding } from '../domain/index.ts';
import type { CallLimits } from '../limits.ts';
import { isTransient, retrying } from '../retry.ts';
import { limitTime } from '../time-limit.ts';

const MAX_QUERY = 200;
const MAX_BYTES = 2 * 1024 * 1024;
/** Attempts after the first; asking twice is safe. */
const RETRIES = 1;
const PAUSE_MS = 200;

export interface SearchEndpoint {
  readonly url: string;
  readonly apiKey: string | undefined;
  /** How long all attempts may take together, in milliseconds. */
  readonly timeoutMs: number;
}

/** Searches the web; throws whatever went wrong, a `TimeoutError` when the time is up. */
export async function searchWeb(
  endpoint: SearchEndpoint,
  query: string,
  limit: number,
  limits: CallLimits,
): Promise<Finding[]> {
  const endsAt = performance.now() + Math.min(endpoint.timeoutMs, limits.remainingMs());
  const remainingMs = (): number => Math.max(1, Math.round(endsAt - performance.now()));
  const time = limitTime(limits.signal, remainingMs());
  const { signal } = time;
  const retry = { retries: RETRIES, pauseMs: PAUSE_MS, signal, remainingMs, retryable: isTransient };
  try {
    const results = await retrying(retry, () => ask(endpoint, query, signal));
    return results
      .filter(isResult)
      .slice(0, limit)
      .map((result, index) => webFinding(index + 1, result));
  } finally {
    time.end();
  }
}

async function ask({ url, apiKey }: SearchEndpoint, query: string, signal: AbortSignal): Promise<unknown[]> {
  const address = new URL(`${url.replace(/\/+$/, '')}/search`);
  address.searchParams.set('q', query.slice(0, MAX_QUERY));
  address.searchParams.set('format', 'json');
  const response = await fetch(address, {
    signal,
    headers: { accept: 'application/json', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) },
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw Object.assign(new Error('the search answered with an error'), {
      status: response.status,
      headers: response.headers,
    });
  }
  const { results } = parse(await readText(response)) as { results?: unknown };
  if (!Array.isArray(results)) throw new TypeError('the search answered without results');
  return results;
}

/** The parser's own message quotes what it read, and errors are logged. */
function parse(text: string): object {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    throw new SyntaxError('the search answered with something other than JSON');
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_BYTES) throw new RangeError('the search answered with more than 2 MiB');
  }
  return text + decoder.decode();
}

function isResult(result: unknown): result is { title: string; url: string; content: string } {
  if (typeof result !== 'object' || result === null) return false;
  const { title, url } = result as { title?: unknown; url?: unknown };
  return typeof title === 'string' && typeof url === 'string' && URL.canParse(url);
}
