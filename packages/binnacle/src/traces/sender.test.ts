import { afterEach, expect, test } from 'vitest';
import { type Behaviour, type OtlpReceiver, startOtlpReceiver } from '../../test/otlp/receiver.ts';
import { type Answer, createSender, type Sender } from './sender.ts';

let receiver: OtlpReceiver | undefined;
let sender: Sender | undefined;
afterEach(async () => {
  sender?.close();
  await receiver?.close();
  sender = undefined;
  receiver = undefined;
});

/** Posts an empty export in protobuf. */
async function post(behaviour: Behaviour, statuses: number[] = []): Promise<Answer> {
  receiver = await startOtlpReceiver({ behaviour });
  sender = createSender(receiver.tracesUrl, { 'content-type': 'application/x-protobuf' });
  return sender.post(Buffer.alloc(0), (status) => void statuses.push(status));
}

test('an answer of 64 KiB is read, a longer one is not, and its connection is not kept', async () => {
  const body = 'x'.repeat(64 * 1024);
  expect((await post({ status: 400, body })).body?.toString()).toBe(body);
  await sender?.post(Buffer.alloc(0), () => {});
  expect(receiver?.connections).toBe(1);
  sender?.close();
  await receiver?.close();
  const statuses: number[] = [];
  expect(await post('huge', statuses)).toMatchObject({ status: 200, body: undefined });
  await sender?.post(Buffer.alloc(0), () => {});
  expect(receiver?.connections).toBe(2);
  expect(statuses).toEqual([200]);
});

test('status, Retry-After and content type are told', async () => {
  const headers = { 'retry-after': '3', 'content-type': 'text/html' };
  expect(await post({ status: 503, headers, body: 'busy' })).toEqual({
    status: 503,
    retryAfter: '3',
    contentType: 'text/html',
    body: Buffer.from('busy'),
  });
});

test('cut ends a request that has no answer, and an answer that has no end', async () => {
  const unanswered = post('blackHole');
  const failure = expect(unanswered).rejects.toMatchObject({ code: 'ECONNRESET' });
  while ((receiver?.requests.length ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  sender?.cut();
  await failure;
  if (receiver !== undefined) receiver.behaviour = 'endless';
  const answer = await sender?.post(Buffer.alloc(0), () => setImmediate(() => sender?.cut()));
  expect(answer).toMatchObject({ status: 200, body: undefined });
});
