/** `binnacle doctor`: what of a project is observed and what is not, with how to mend each. */
import { type Environment, type ReadEnvironment, readEnvironment } from './environment.ts';
import { type Diagnosis, type Finding, note } from './findings.ts';
import { readManifest } from './manifest.ts';
import { checkMetricsAndLogs } from './metrics-and-logs.ts';
import { checkLibraries } from './observed.ts';
import { checkRuntime } from './runtime.ts';
import { checkService } from './service.ts';
import { searchSources } from './sources.ts';
import { checkTraces } from './traces.ts';

export interface DoctorOptions {
  /** The project's, absolute. */
  readonly folder: string;
  readonly env: Environment;
  /** Of a running service. */
  readonly url: string | undefined;
  /** Of Binnacle. */
  readonly version: string;
  /** Of Node.js; this one's unless told. */
  readonly node?: string;
  /** How long a collector or a service may take to answer, in milliseconds; 3,000 unless told. */
  readonly limitMs?: number;
}

const LIMIT_MS = 3000;

/** Looks at everything, and changes nothing. The only code it runs is its own. */
export async function diagnose(options: DoctorOptions): Promise<Diagnosis> {
  const { folder, env, version, node = process.versions.node, limitMs = LIMIT_MS } = options;
  const manifest = readManifest(`${folder}/package.json`);
  const sources = searchSources(folder);
  const read = readEnvironment(env);
  const { otel, warnings, settings } = read;
  const [traces, service] = await Promise.all([
    checkTraces({ otel, keep: settings?.keep, warnings, env, limitMs }),
    checkRunning(options, read, limitMs),
  ]);
  return {
    version,
    folder,
    sections: [
      { title: 'Runtime', findings: checkRuntime({ folder, manifest, sources, node }) },
      {
        title: 'Libraries',
        findings: checkLibraries({
          folder,
          manifest: typeof manifest === 'string' ? undefined : manifest,
          sources,
        }),
      },
      { title: 'Traces', findings: traces },
      { title: 'Metrics & logs', findings: checkMetricsAndLogs(read, folder) },
      { title: 'Running service', findings: service },
    ],
  };
}

async function checkRunning({ url, env }: DoctorOptions, read: ReadEnvironment, limitMs: number): Promise<Finding[]> {
  // A port of 0 is any port: nobody knows which.
  const managementPort = read.settings?.managementPort || undefined;
  const token = env.METRICS_TOKEN?.trim() || undefined;
  if (url !== undefined) return checkService({ url, implied: false, managementPort, token, limitMs });
  if (managementPort === undefined)
    return [note('service', 'not asked', 'ask a running one: --url http://localhost:8000')];
  const at = `http://${hostOf(read.settings?.host)}:${managementPort}`;
  return checkService({ url: at, implied: true, managementPort, token, limitMs });
}

/** Who listens on every address answers on loopback too. */
function hostOf(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
