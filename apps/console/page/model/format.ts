/** Figures as a reader takes them in: three digits that matter, and a unit. */

const DASH = '–';

/** @param ms milliseconds */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return DASH;
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 0.9995) return size < 0.001 ? '<1 µs' : `${digits(ms * 1000)} µs`;
  if (size < 999.5) return `${digits(ms)} ms`;
  if (size < 59_950) return `${digits(ms / 1000)} s`;
  return longDuration(Math.round(ms / 1000));
}

function longDuration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Three digits that matter, without zeros at the end. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

const GROUPED = new Intl.NumberFormat('en-GB');

/** A count: whole below a hundred thousand, with k, M or G above. */
export function count(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  if (size < 1e5) return size < 100 && !Number.isInteger(value) ? digits(value) : GROUPED.format(Math.round(value));
  if (size < 1e6) return `${digits(value / 1e3)}k`;
  return size < 1e9 ? `${digits(value / 1e6)}M` : `${digits(value / 1e9)}G`;
}

/** Decimal units, as disks and networks are sold. */
export function bytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  if (size < 1000) return `${digits(value)} B`;
  if (size < 1e6) return `${digits(value / 1e3)} kB`;
  return size < 1e9 ? `${digits(value / 1e6)} MB` : `${digits(value / 1e9)} GB`;
}

export function dollars(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return DASH;
  if (value === 0) return '$0';
  if (value < 0.000_1) return '<$0.0001';
  return value < 1 ? `$${value.toFixed(4)}` : `$${value.toFixed(2)}`;
}

export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return DASH;
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1%';
  return Math.abs(value) < 9.95 ? `${Number(value.toFixed(1))}%` : `${Math.round(value)}%`;
}

/** `14:03:09.120` in the reader's own zone. */
export function clock(time: number, withMilliseconds = true): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return DASH;
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}` : seconds;
}

/** The whole moment, for a title. */
export function moment(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? DASH : date.toISOString();
}

export function ago(ms: number): string {
  if (ms < 1500) return 'now';
  if (ms < 60_000) return `${Math.round(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min ago`;
  return `${Math.round(ms / 3_600_000)} h ago`;
}

/** `1 span`, `2 spans`. */
export function many(value: number, word: string, plural: string = `${word}s`): string {
  return `${count(value)} ${value === 1 ? word : plural}`;
}

/** How values of a metric are written, by its name's unit. */
export function unitOf(name: string, unit = '', rate = false): (value: number) => string {
  const write = plainUnitOf(name, unit);
  return rate ? (value) => `${write === secondsOf ? digits(value) : write(value)}/s` : write;
}

const secondsOf = (value: number): string => duration(value * 1000);

function plainUnitOf(name: string, unit: string): (value: number) => string {
  if (unit === 's' || /_seconds(_total)?$/.test(name)) return secondsOf;
  if (unit === 'By' || /_bytes(_total)?$/.test(name)) return bytes;
  if (/_ratio$/.test(name)) return percent;
  return /_usd_total$/.test(name) ? dollars : count;
}
