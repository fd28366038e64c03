// Vercel's AI SDK 6; 7 takes the same as `telemetry`. The signal of the request in hand ends the call upstream.
import { openai } from '@ai-sdk/openai';
import { streamText } from 'ai';
import { observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';

const obs = observe({ service: 'example' });
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
app.post<{ Body: { question: string } }>('/ask', (request, reply) => {
  const { textStream } = streamText({
    model: openai.chat(process.env.LLM_MODEL ?? 'gpt-4o'),
    prompt: request.body.question,
    abortSignal: obs.request()?.signal,
    experimental_telemetry: obs.ai.telemetry('answerer'),
  });
  return reply.type('text/plain').send(textStream.pipeThrough(new TextEncoderStream()));
});
obs.stopOnSignals(() => app.close());
await app.listen({ port: Number(process.env.PORT ?? 8000) });
