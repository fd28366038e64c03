// OpenAI's SDK, and whatever speaks its protocol (OPENAI_BASE_URL). A client that goes away ends the call upstream.
import { Readable } from 'node:stream';
import { observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';
import OpenAI from 'openai';

const obs = observe({ service: 'example' });
const openai = obs.ai.client(new OpenAI());
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
app.post<{ Body: { question: string } }>('/ask', async (request, reply) => {
  const stream = await openai.chat.completions.create({
    model: process.env.LLM_MODEL ?? 'gpt-4o',
    messages: [{ role: 'user', content: request.body.question }],
    stream: true,
    stream_options: { include_usage: true },
  });
  async function* words() {
    for await (const { choices } of stream) yield choices[0]?.delta.content ?? '';
  }
  return reply.type('text/plain').send(Readable.from(words()));
});
obs.stopOnSignals(() => app.close());
await app.listen({ port: Number(process.env.PORT ?? 8000) });
