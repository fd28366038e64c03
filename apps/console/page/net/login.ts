/** Asks to be let in. */

export type LoginOutcome =
  | { readonly kind: 'in' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'later'; readonly seconds: number | undefined }
  | { readonly kind: 'failed'; readonly because: string };

export async function login(token: string, ask: typeof fetch = (...args) => fetch(...args)): Promise<LoginOutcome> {
  let response: Response;
  try {
    response = await ask('api/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
      credentials: 'same-origin',
    });
  } catch {
    return { kind: 'failed', because: 'The service cannot be reached.' };
  }
  if (response.ok) return { kind: 'in' };
  if (response.status === 401) return { kind: 'wrong' };
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { kind: 'later', seconds: Number.isFinite(seconds) ? seconds : undefined };
  }
  return { kind: 'failed', because: `The service answered ${response.status}.` };
}
