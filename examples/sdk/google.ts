// Google's SDK, for Gemini and for Vertex AI. A client that goes away ends the call upstream.
import { Readable } from 'node:stream';
import { GoogleGenAI } from '@google/genai';
import { observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';

const obs = observe({ service: 'example' });
const google = obs.ai.client(new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY ?? '' }));
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
app.post<{ Body: { question: string } }>('/ask', async (request, reply) => {
  const stream = await google.models.generateContentStream({
    model: process.env.LLM_MODEL ?? 'gemini-2.5-flash',
    contents: request.body.question,
  });
  async function* words() {
    for await (const chunk of stream) yield chunk.text ?? '';
  }
  return reply.type('text/plain').send(Readable.from(words()));
});
obs.stopOnSignals(() => app.close());
await app.listen({ port: Number(process.env.PORT ?? 8000) });
