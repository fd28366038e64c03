// LangChain.js (LangGraph.js takes the same). The signal of the request in hand ends the call upstream.
import { Readable } from 'node:stream';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatOpenAI } from '@langchain/openai';
import { observe } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify from 'fastify';

const obs = observe({ service: 'example' });
const callbacks = [obs.ai.langchain()];
const chain = new ChatOpenAI({ model: process.env.LLM_MODEL ?? 'gpt-4o' }).pipe(new StringOutputParser());
const app = Fastify(fastifyOptions(obs));
await app.register(observeFastify(obs));
app.post<{ Body: { question: string } }>('/ask', async (request, reply) => {
  const stream = await chain.stream(request.body.question, { callbacks, signal: obs.request()?.signal });
  return reply.type('text/plain').send(Readable.from(stream));
});
obs.stopOnSignals(() => app.close());
await app.listen({ port: Number(process.env.PORT ?? 8000) });
