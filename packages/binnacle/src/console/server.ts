/** The console as an HTTP server has it: the page's files, its one stream of events, and who may read them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Store } from './store.ts';
import type { Hello, LiveMoment, TelemetryMoment } from './wire.ts';

export interface ConsoleOptions {
  readonly store: Store;
  readonly about: Pick<Hello, 'service' | 'version' | 'environment' | 'mode'>;
  /** Asked for everywhere where it is set; without one only this machine is answered. */
  readonly token?: string | undefined;
  /** Asked while a page is open, for what is not stored. Neither may throw. */
  live?(): LiveMoment;
  telemetry?(): TelemetryMoment;
  /** Folder of the page's files; the package's own unless told. */
  readonly files?: string;
}

export interface ConsoleServer {
  /** Whether a path (without query) is the console's: `/console`, and all beneath it. */
  owns(path: string): boolean;
  /** Answers a request for a path that it owns. Never throws, never rejects. */
  answer(path: string, req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Ends every page's stream. Later ones are refused. */
  close(): void;
}
