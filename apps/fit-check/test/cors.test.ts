/** CORS: preflights are answered for allowed origins alone, and change nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './events.ts';
import { type Service, startService } from './service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:3003' });
});
afterAll(() => service.stop());

const preflight = (origin: string): Promise<Response> =>
  fetch(`${service.url}/api/fit-check/stream`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  });

describe('with ALLOWED_ORIGINS', () => {
  it('answers a preflight of an allowed origin', async () => {
    const response = await preflight('http://localhost:3003');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:3003');
  });

  it('allows no other origin', async () => {
    const response = await preflight('https://evil.example.com');
    expect(response.headers.get('access-control-allow-origin')).not.toBe('https://evil.example.com');
  });

  it('streams with the header, and unknown paths are still 404', async () => {
    const stream = await ask(service.url, { query: 'Google' }, { origin: 'https://app.example.com' });
    expect(stream.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(stream.events.at(-1)?.event).toBe('complete');
    expect((await fetch(`${service.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${service.url}/api/fit-check/stream`)).status).toBe(405);
  });
});
