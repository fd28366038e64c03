/** The environment as the library reads it. */
import { type Problem, SettingsError } from '../environment.ts';
import { createSettings, type Settings } from '../settings.ts';
import { type OtelSettings, readOtelSettings } from '../settings-otel.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadEnvironment {
  readonly otel: OtelSettings;
  /** Wrong `OTEL_*` values. */
  readonly warnings: readonly Problem[];
  /** Undefined where variables of Binnacle's own are wrong: the service would not start. */
  readonly settings: Settings | undefined;
  readonly problems: readonly Problem[];
}

export function readEnvironment(env: Environment): ReadEnvironment {
  const warnings: Problem[] = [];
  // By themselves, so that they are known although others are wrong.
  const otel = readOtelSettings(env, warnings);
  try {
    return { otel, warnings, settings: createSettings({ service: 'doctor', env }), problems: [] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { otel, warnings, settings: undefined, problems: error.problems };
  }
}
