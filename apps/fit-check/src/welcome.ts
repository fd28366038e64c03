/** Where to look, said once the service listens. */
import type { AddressInfo } from 'node:net';
import type { Observability } from 'binnacle';
import type { FastifyInstance } from 'fastify';
import type { FitCheckSettings } from './settings.ts';

export function sayWelcome(app: FastifyInstance, obs: Observability, settings: FitCheckSettings): void {
  const { log } = obs;
  const { port } = app.server.address() as AddressInfo;
  const host = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(settings.host) ? 'localhost' : settings.host;
  const url = `http://${host}:${port}`;
  const probes = obs.settings.managementPort === undefined ? url : `http://${host}:${obs.settings.managementPort}`;
  const { llm, search } = settings;
  log.info(`LLM: ${llm.kind === 'embedded' ? 'the embedded analyst' : llm.model} (${llm.why})`);
  log.info(
    `Search: ${search === undefined ? 'the embedded corpus (SEARCH_URL is not set)' : 'SEARCH_URL, with the embedded corpus to fall back on'}`,
  );
  log.info(
    `Traces: ${obs.settings.otel.exporter === 'none' ? 'made and logged, sent nowhere (set OTEL_EXPORTER_OTLP_ENDPOINT to send them)' : `sent by ${obs.settings.otel.exporter}`}`,
  );
  log.info(`Open: ${url}/`);
  log.info(`Ask: curl -N ${url}/api/fit-check/stream -H 'content-type: application/json' -d '{"query": "Google"}'`);
  if (obs.settings.console !== undefined) log.info(`Watch: ${probes}/console`);
  log.info(`Look: ${probes}/metrics  ${probes}/health  ${url}/api/fit-check/health`);
}
