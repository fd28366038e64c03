/** What exports call themselves. */

/** The version of this package. */
const VERSION = '0.1.0';

/** The exporter, its language and version: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#user-agent */
export const USER_AGENT: string = `Binnacle-OTLP-Exporter-JavaScript/${VERSION}`;
