/** Starts the service. */

import { reportStartFailure } from 'binnacle';
import { createFitCheck } from './app.ts';
import { readFitCheckSettings } from './settings.ts';
import { sayWelcome } from './welcome.ts';

try {
  const settings = readFitCheckSettings();
  const { app, obs } = await createFitCheck(settings);
  obs.logProcessEvents();
  obs.stopOnSignals(() => app.close());
  await app.listen({
    host: settings.host,
    port: settings.port,
    listenTextResolver: (address) => `fit-check listens on ${address}, pid ${process.pid}`,
  });
  sayWelcome(app, obs, settings);
} catch (error) {
  reportStartFailure('fit-check', error);
}
