/**
 * Receives OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp): traces, logs and metrics, in protobuf and
 * JSON, for a console that stands by itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../signals.ts';
import { type Access, Guard } from './guard.ts';
import { headerOf } from './headers.ts';
import { CONTENT_TYPES, type Encoding, Refusal, sendRefusal, sendSuccess } from './otlp-answer.ts';
import { BODY_BOUNDS, Bodies, type BodyBounds } from './otlp-body.ts';
import { OtlpError } from './otlp-error.ts';
import { OtlpIntake, type Received } from './otlp-intake.ts';
import type { Store } from './store.ts';
import type { TelemetryMoment } from './wire.ts';

export interface ReceiverOptions {
  readonly store: Store;
  /** Asked for as bearer where it is set; without one only this machine's senders are heard. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly bounds?: Partial<BodyBounds>;
}

export interface OtlpReceiver {
  /** Whether a path (without query) is OTLP's: `/v1/traces`, `/v1/logs`, `/v1/metrics`, and others that begin so. */
  owns(path: string): boolean;
  /** Answers a request for a path that it owns. Never throws, never rejects. */
  answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** What came so far. */
  received(): Received;
  /** The metrics with most series, at most so many. */
  largest(most: number): TelemetryMoment['series'];
}

const PATHS = /^\/v1(development)?\//;
/** Browsers' own telemetry, from pages that are served on this machine. */
const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;
/** How long a browser may keep the answer that it may send, in seconds. */
const PREFLIGHT_SECONDS = '600';

interface Inside {
  readonly guard: Guard;
  readonly bodies: Bodies;
  readonly intake: OtlpIntake;
}

export function createOtlpReceiver({ store, token, clock, bounds }: ReceiverOptions): OtlpReceiver {
  const inside: Inside = {
    guard: new Guard({ token, clock }),
    bodies: new Bodies({ ...BODY_BOUNDS, ...bounds }),
    intake: new OtlpIntake(store, clock),
  };
  return {
    owns: (path) => PATHS.test(path),
    async answer(path, req, res) {
      try {
        await answer(inside, path, req, res);
      } catch {
        // The sender went away.
        res.destroy();
      }
    },
    received: () => inside.intake.received,
    largest: (most) => inside.intake.largest(most),
  };
}

async function answer(inside: Inside, path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const origin = headerOf(req, 'origin');
  const isLocal = origin !== undefined && LOCAL_ORIGIN.test(origin);
  const headers: Record<string, string> = isLocal ? { 'access-control-allow-origin': origin, vary: 'Origin' } : {};
  if (req.method === 'OPTIONS' && isLocal) {
    answerPreflight(req, res, headers);
    return;
  }
  const encoding = encodingOf(req);
  try {
    if (origin !== undefined && !isLocal) throw foreign();
    letIn(inside.guard.checkSender(req));
    const take = inside.intake.of(path);
    if (take === undefined) throw new Refusal(404, 'OTLP is taken at /v1/traces, /v1/logs and /v1/metrics');
    if (req.method !== 'POST') throw new Refusal(405, 'OTLP is sent by POST', { allow: 'POST, OPTIONS' });
    if (encoding === undefined) throw unknownType();
    const body = await inside.bodies.read(req);
    sendSuccess(res, encoding, take(body, encoding), headers);
  } catch (error) {
    sendRefusal(res, encoding ?? 'json', refusalOf(error), headers);
  }
}

/** Anything but a refusal, or bytes that are no OTLP, is a request that broke off. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof OtlpError) return new Refusal(400, `this is no OTLP: ${error.message}`);
  throw error;
}

/** Of the request, so that it is answered alike; undefined where it is neither. */
function encodingOf(req: IncomingMessage): Encoding | undefined {
  const type = (headerOf(req, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === CONTENT_TYPES.protobuf) return 'protobuf';
  return type === CONTENT_TYPES.json ? 'json' : undefined;
}

function unknownType(): Refusal {
  const types = `${CONTENT_TYPES.protobuf} or ${CONTENT_TYPES.json}`;
  return new Refusal(415, `the content-type must be ${types}`);
}

function foreign(): Refusal {
  return new Refusal(403, 'pages may send from this machine alone');
}

function letIn(access: Access): void {
  switch (access) {
    case 'granted':
      return;
    case 'unauthorized':
      throw new Refusal(
        401,
        'this console asks for its token: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN',
        {
          'www-authenticate': 'Bearer',
        },
      );
    case 'limited':
      throw new Refusal(429, 'too many wrong tokens: wait a minute', { 'retry-after': '60' });
    default:
      throw new Refusal(403, 'without a token this console takes what is sent to localhost, through no proxy');
  }
}

/** https://fetch.spec.whatwg.org/#cors-preflight-fetch: such a page may send, with what headers it has. */
function answerPreflight(req: IncomingMessage, res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  res.writeHead(204, {
    ...headers,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': headerOf(req, 'access-control-request-headers') ?? 'content-type',
    'access-control-max-age': PREFLIGHT_SECONDS,
  });
  res.end();
}
