/** SearXNG's JSON search, or anything that answers in its form. */
import { type Finding, webFinding } from '../domain/index.ts';

const TIMEOUT_MS = 5000;
const MAX_QUERY = 200;
const MAX_BYTES = 2 * 1024 * 1024;

/** Searches the web; throws whatever went wrong, a `TimeoutError` after 5 s. */
export async function searchWeb(
  { url, apiKey }: { url: string; apiKey: string | undefined },
  query: string,
  limit: number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const address = new URL(`${url.replace(/\/+$/, '')}/search`);
  address.searchParams.set('q', query.slice(0, MAX_QUERY));
  address.searchParams.set('format', 'json');
  const response = await fetch(address, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    headers: { accept: 'application/json', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) },
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw Object.assign(new Error('the search answered with an error'), { status: response.status });
  }
  const { results } = JSON.parse(await readText(response)) as { results?: unknown };
  if (!Array.isArray(results)) throw new TypeError('the search answered without results');
  return results
    .filter(isResult)
    .slice(0, limit)
    .map((result, index) => webFinding(index + 1, result));
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
