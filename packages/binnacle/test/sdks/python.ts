/** OpenTelemetry's SDK for Python, in a virtual environment of its own. */
import { fileURLToPath } from 'node:url';
import { loadScript } from '../../../../test/scripts/module.ts';

type Venv = { readonly program: string } | { readonly missing: string };

/** The interpreter, or why there is none; that is an error where nothing may be skipped. */
export async function preparePython(): Promise<Venv> {
  const { prepareVenv } = await loadScript<{ prepareVenv(cache: string, file: string, what: string): Promise<Venv> }>(
    'venv.mjs',
  );
  const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));
  const venv = await prepareVenv('binnacle-tests', requirements, "OpenTelemetry's SDK for Python");
  if ('missing' in venv && process.env.REQUIRE_SERVERS === '1') throw new Error(venv.missing);
  return venv;
}
