/** Whether the OTLP endpoint takes what is sent to it: one real export of no spans. */
import { printableValue } from '../environment.ts';
import type { OtlpSettings } from '../settings-otel.ts';
import { type Answer, ask } from './ask.ts';
import { type Finding, note, ok, problem } from './findings.ts';

/** Sends an empty export (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request); never rejects. */
export async function checkExporter(settings: OtlpSettings, limitMs: number): Promise<Finding[]> {
  const json = settings.protocol === 'http/json';
  const answer = await ask(settings.url, {
    method: 'POST',
    headers: {
      ...givenHeaders(settings),
      'content-type': json ? 'application/json' : 'application/x-protobuf',
    },
    body: json ? '{}' : '',
    limitMs,
  });
  return [describe(answer, settings, limitMs)];
}

/** Headers that the body decides, whatever the settings say. */
const OWN = ['content-type', 'content-encoding', 'content-length', 'transfer-encoding'];

function givenHeaders({ headers }: OtlpSettings): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(given.filter(([name]) => !OWN.includes(name)));
}

function describe(answer: Answer, settings: OtlpSettings, limitMs: number): Finding {
  const where = printableValue('OTEL_EXPORTER_OTLP_ENDPOINT', settings.url).slice(1, -1);
  if (answer.kind === 'failed') {
    const what =
      answer.code === 'timeout'
        ? `${where} does not answer within ${limitMs / 1000} s`
        : `${where} cannot be reached: ${answer.code}`;
    return problem('exporter', what, mendFailure(answer.code, settings));
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return ok('exporter', `${where} takes spans (${status}, ${settings.protocol})`);
  const what = `${where} answers ${status}`;
  if (status === 400) return note('exporter', `${what} to an export of no spans: it is there, and may take real ones`);
  return problem('exporter', what, mendStatus(status, settings));
}

function mendFailure(code: string, { url }: OtlpSettings): string {
  const port = new URL(url).port;
  if (port === '4317') return '4317 is the port of gRPC: use the one of OTLP over HTTP, 4318';
  if (code === 'ECONNREFUSED') return 'nothing listens there: start the collector, or correct the host and port';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known: correct it, or look at the DNS';
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED/.test(code)) {
    return 'its certificate is not trusted: NODE_EXTRA_CA_CERTS=/path/to/ca.pem';
  }
  if (/^(EPROTO|ERR_SSL|HPE_)/.test(code))
    return 'it does not speak this protocol: look at http or https, and the port';
  if (code === 'ERR_INVALID_CHAR' || code === 'ERR_INVALID_HTTP_TOKEN') {
    return 'OTEL_EXPORTER_OTLP_HEADERS holds what no header may: key=value pairs, comma-separated, percent-encoded';
  }
  return 'look at the network between here and there: firewall, proxy, network policy';
}

function mendStatus(status: number, { protocol, headers }: OtlpSettings): string {
  if (status === 401 || status === 403) {
    return Object.keys(headers).length === 0
      ? 'it asks for credentials: set OTEL_EXPORTER_OTLP_HEADERS'
      : 'it does not take the credentials of OTEL_EXPORTER_OTLP_HEADERS';
  }
  if (status === 404 || status === 405) {
    return 'the path is not that of OTLP: /v1/traces is added to OTEL_EXPORTER_OTLP_ENDPOINT, and not to ..._TRACES_ENDPOINT';
  }
  if (status === 415) {
    const other = protocol === 'http/json' ? 'http/protobuf' : 'http/json';
    return `it does not take ${protocol}: OTEL_EXPORTER_OTLP_PROTOCOL=${other}`;
  }
  if (status >= 300 && status < 400) return 'redirects are not followed: set the address that it leads to';
  if (status === 429) return 'it takes no more for now: sample less (OTEL_TRACES_SAMPLER), or give it more room';
  if (status >= 500)
    return 'the collector is in trouble: look at its log; spans are sent again for a while, then dropped';
  return 'look at the log of the collector';
}
