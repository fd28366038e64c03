import { createServer } from 'node:http';
import process from 'node:process';
import { CHUNKS } from './ai-verdict.mjs';

/**
 * What the SDKs under test ask: the same answer in 1,000 pieces of text each time, in the shape of the provider whose
 * path is asked. Below `/each` every stream gets its next piece at every tick, as tokens come from a provider: one read a
 * piece. Below `/once` all pieces come in one go. Takes spans too, as a collector that is well.
 */

const TICK_MS = 2;
/** About what a token is. */
const WORDS = ['The', ' services', ' ran', ' in', ' production', ',', ' and', ' held', ' under', ' load', '.'];

const wordAt = (/** @type {number} */ at) => WORDS[at % WORDS.length];
const toEvent = (/** @type {object} */ data, type = '') =>
  `${type === '' ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`;

/** @param {object[]} choices @param {object | null} usage */
function toChunk(choices, usage = null) {
  const id = 'chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl';
  return toEvent({
    id,
    object: 'chat.completion.chunk',
    created: 1731368639,
    model: 'gpt-4o-2024-08-06',
    service_tier: 'default',
    system_fingerprint: 'fp_9b78b61c52',
    choices,
    usage,
  });
}

/** https://platform.openai.com/docs/api-reference/chat-streaming: the finish reason, then the usage. */
const OPENAI = [
  ...Array.from({ length: CHUNKS - 2 }, (_, at) =>
    toChunk([{ index: 0, delta: { content: wordAt(at) }, logprobs: null, finish_reason: null }]),
  ),
  toChunk([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]),
  toChunk([], { prompt_tokens: 12, completion_tokens: CHUNKS - 2, total_tokens: CHUNKS + 10 }),
  'data: [DONE]\n\n',
];

/** https://docs.claude.com/en/docs/build-with-claude/streaming */
const ANTHROPIC = [
  toEvent(
    {
      type: 'message_start',
      message: {
        id: 'msg_4QpJur2dWWDjF6C758FbBw5vm12BaVipnK',
        type: 'message',
        role: 'assistant',
        content: [],
        model: 'claude-opus-4-8',
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 11, output_tokens: 1 },
      },
    },
    'message_start',
  ),
  toEvent({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }, 'content_block_start'),
  ...Array.from({ length: CHUNKS - 5 }, (_, at) =>
    toEvent(
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: wordAt(at) } },
      'content_block_delta',
    ),
  ),
  toEvent({ type: 'content_block_stop', index: 0 }, 'content_block_stop'),
  toEvent(
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: CHUNKS },
    },
    'message_delta',
  ),
  toEvent({ type: 'message_stop' }, 'message_stop'),
];

/** @type {Record<string, string[]>} */
const ANSWERS = {
  '/each/v1/chat/completions': OPENAI,
  '/once/v1/chat/completions': [OPENAI.join('')],
  '/each/v1/messages': ANTHROPIC,
  '/once/v1/messages': [ANTHROPIC.join('')],
};

/** @type {Set<{ res: import('node:http').ServerResponse, pieces: string[], next: number }>} */
const streams = new Set();
setInterval(() => {
  for (const stream of streams) {
    const piece = stream.pieces[stream.next];
    stream.next += 1;
    if (piece !== undefined && !stream.res.destroyed) stream.res.write(piece);
    else {
      streams.delete(stream);
      stream.res.end();
    }
  }
}, TICK_MS);

const server = createServer((req, res) => {
  req.resume().once('end', () => {
    const pieces = ANSWERS[req.url ?? ''];
    if (pieces === undefined) {
      // An empty answer takes all spans.
      res.writeHead(req.url === '/v1/traces' ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
      return;
    }
    res.socket?.setNoDelay(true);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    streams.add({ res, pieces, next: 0 });
  });
});
// A connection that waits between two runs is not closed under the request that takes it up.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ port });
});
process.on('disconnect', () => process.exit(1));
