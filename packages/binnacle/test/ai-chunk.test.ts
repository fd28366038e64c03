/** What observing a streamed answer takes of the heap for each chunk, beside the bare SDK: real SDKs, a real server. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePackage } from './compiled-package.ts';
import { type Replay, sse, startReplay } from './wire/replay.ts';

const READER = fileURLToPath(new URL('ai-chunk/reader.mjs', import.meta.url));
const CHUNKS = 500;
/**
 * A promise is 100 to 230 bytes, by version of Node.js, and what a request takes by itself about 100 for each of its 500
 * chunks. A context entered for each chunk would be 700 on Node.js 24.
 */
const MOST_BYTES = 400;

const toEvent = (data: object, type = ''): string =>
  `${type === '' ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`;

const WIRES = {
  openai: [
    ...Array.from({ length: CHUNKS - 1 }, () =>
      toEvent({ id: 'c1', model: 'm1', choices: [{ index: 0, delta: { content: ' word' }, finish_reason: null }] }),
    ),
    toEvent({ id: 'c1', model: 'm1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    'data: [DONE]\n\n',
  ],
  anthropic: [
    ...Array.from({ length: CHUNKS - 1 }, () =>
      toEvent(
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' word' } },
        'content_block_delta',
      ),
    ),
    toEvent({ type: 'message_stop' }, 'message_stop'),
  ],
} as const;

let compiled: Awaited<ReturnType<typeof compilePackage>>;
const servers: Replay[] = [];
beforeAll(async () => {
  compiled = await compilePackage();
});
afterAll(async () => {
  for (const server of servers) await server.close();
  compiled.remove();
});

describe.each(['openai', 'anthropic'] as const)('%s', (sdk) => {
  test('observed streams take little more of the heap than bare ones', async () => {
    const server = await startReplay(sse([WIRES[sdk].join('')]));
    servers.push(server);
    const bytesOf = async (variant: string): Promise<number> => {
      const args = [READER, `${compiled.library}/dist/index.js`, server.url, sdk, variant];
      const env = { PATH: process.env.PATH, OTEL_SDK_DISABLED: 'true' };
      const { stdout } = await promisify(execFile)(process.execPath, args, { env });
      return Number(stdout);
    };
    const bare = await bytesOf('bare');
    const more = (await bytesOf('observed')) - bare;
    expect(bare).toBeGreaterThan(1000);
    expect(more).toBeLessThan(MOST_BYTES);
  });
});
