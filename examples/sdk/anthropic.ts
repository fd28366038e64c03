// Anthropic's SDK. A client that goes away ends the call upstream.
import { Readable } from 'node:stream';
import Anthropic from '@anthropic-ai/sdk';
import { observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';

const obs = observe({ service: 'example' });
const anthropic = obs.ai.client(new Anthropic());
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
app.post<{ Body: { question: string } }>('/ask', async (request, reply) => {
  const stream = await anthropic.messages.create({
    model: process.env.LLM_MODEL ?? 'claude-opus-4-8',
    max_tokens: 1024,
    messages: [{ role: 'user', content: request.body.question }],
    stream: true,
  });
  async function* words() {
    for await (const event of stream)
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
  }
  return reply.type('text/plain').send(Readable.from(words()));
});
obs.stopOnSignals(() => app.close());
await app.listen({ port: Number(process.env.PORT ?? 8000) });
