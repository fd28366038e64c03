/** Metrics that are off (`METRICS_ENABLED=false`): the same types, nothing kept. */
import type { Meters, Series } from '../signals.ts';
import type { Instruments } from './instrument.ts';

const NOTHING = (): void => {};
const SERIES: Series = { inc: NOTHING, dec: NOTHING, set: NOTHING, observe: NOTHING };
const INSTRUMENT = { ...SERIES, bind: (): Series => SERIES };

/** The catalogue's metrics, all silent. */
export const silentMeters: Meters = new Proxy({} as Meters, { get: () => INSTRUMENT });

/** A user's own metrics, all silent. */
export const silentInstruments: Instruments = {
  counter: () => INSTRUMENT,
  gauge: () => INSTRUMENT,
  histogram: () => INSTRUMENT,
} as unknown as Instruments;
