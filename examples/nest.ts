// NestJS, on Express here; on Fastify by `new FastifyAdapter()` as the second argument of `create`.
import 'reflect-metadata';
import { Controller, Module, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { observe } from 'binnacle';
import { observeNest } from 'binnacle/nest';
import { from } from 'rxjs';

const obs = observe({ service: 'example' });
@Controller()
class StreamController {
  @Sse('stream/:id')
  stream() {
    obs.log.info('Streaming');
    return from([1, 2, 3].map((n) => ({ data: n })));
  }
}
@Module({ controllers: [StreamController] })
class AppModule {}
const app = await NestFactory.create(AppModule, { logger: false });
await observeNest(obs, app);
obs.stopOnSignals(() => app.close());
await app.listen(process.env.PORT ?? 8000);
