// `npm start`: installs and builds what is missing, then becomes the service, so that signals, the exit status and
// the process id are the service's own. Other scripts are imported late: an old Node.js may not be able to read them.
import { requireNodeVersion } from './node-version.mjs';

requireNodeVersion();

const { ensureInstalled } = await import('./install.mjs');
const { ensureBuilt } = await import('./build.mjs');
const { runScript } = await import('./step.mjs');

let ready = false;
await runScript(async () => {
  await ensureInstalled();
  await ensureBuilt();
  ready = true;
});
if (ready) await import(new URL('../apps/fit-check/dist/main.js', import.meta.url).href);
