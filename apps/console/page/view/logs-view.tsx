/** The log as it comes. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { compile, parseFilter, withTerm } from '../model/filter.ts';
import { clock, count, many } from '../model/format.ts';
import { logLens } from '../model/lenses.ts';
import { FilteredLogs, type Logs } from '../model/logs.ts';
import { to } from '../model/place.ts';
import { previewOf } from '../model/preview.ts';
import type { LogRecord } from '../model/wire.ts';
import { useApp, useVersion } from './context.ts';
import { Icon } from './icons.tsx';
import { type Column, List } from './list.tsx';
import { LevelWord, LogDetails } from './log-details.tsx';
import { LogVolume } from './log-volume.tsx';
import { Empty, HowToSend, NoMatch } from './notice.tsx';
import { Line } from './text.tsx';
import { Select, Toolbar } from './toolbar.tsx';

const ALL = 'ALL';
const CHOICES = [
  [ALL, 'All levels'],
  ['DEBUG', 'DEBUG and above'],
  ['INFO', 'INFO and above'],
  ['WARNING', 'WARNING and above'],
  ['ERROR', 'ERROR and above'],
] as const;

export function LogsView(): JSX.Element {
  const { console, place, change } = useApp();
  const { q = '', line, follow } = place.at;
  const version = useVersion(({ logs }) => logs.version);
  const lines = useLines(console.logs, q, version);
  const follows = follow !== '0';
  const selected = line === undefined ? undefined : console.logs.bySeq(Number(line));
  const manyServices = useMemo(() => lines.some(({ service }) => service !== lines[0]?.service), [lines]);
  const columns = useMemo(() => columnsFor(manyServices), [manyServices]);
  const setFollow = (on: boolean): void => change({ follow: on ? undefined : '0' }, 'quiet');
  return (
    <div class="view">
      <Toolbar
        search={{ label: 'Search log lines', placeholder: 'Search, or logger:x status:error request_id:…' }}
        figure={
          q === '' ? many(console.logs.count, 'line') : `${count(lines.length)} of ${many(console.logs.count, 'line')}`
        }
      >
        <Select
          label="Level"
          value={levelOf(q)}
          choices={CHOICES}
          onChoose={(level) => change({ q: withTerm(q, 'level', level === ALL ? undefined : level, '>=') }, 'step')}
        />
        <button type="button" class="button small" aria-pressed={follows} onClick={() => setFollow(!follows)}>
          <Icon name="down" />
          Follow
        </button>
      </Toolbar>
      <LogVolume lines={lines} />
      <div class="split">
        <List
          label="Log lines, newest last"
          layout="logs"
          columns={columns}
          items={lines}
          keyOf={({ seq }) => String(seq)}
          rowHeight={28}
          selected={line}
          look={({ level }) => ({ class: `level-${level}` })}
          onOpen={({ seq }) => change({ line: String(seq), follow: '0' }, line === undefined ? 'step' : 'quiet')}
          follow={follows}
          onFollow={setFollow}
          empty={
            console.logs.count > 0 ? (
              <NoMatch what="line" />
            ) : (
              <Empty icon="logs" title="No log lines yet">
                <HowToSend />
                <p class="muted">
                  Each request leaves one closing line; lines of your own come with <code>obs.log.info(…)</code>.
                </p>
              </Empty>
            )
          }
        />
        {selected !== undefined && <LogDetails line={selected} />}
        {selected === undefined && line !== undefined && console.logs.count > 0 && <GoneLine />}
      </div>
    </div>
  );
}

/** A line that an address names and that is no longer held. */
function GoneLine(): JSX.Element {
  const { change } = useApp();
  return (
    <section class="pane" aria-label="Log line">
      <Empty icon="logs" title="This line is no longer held">
        <p>Newer lines took its place, or it belongs to another start.</p>
        <button type="button" class="button small" onClick={() => change({ line: undefined }, 'step')}>
          Close
        </button>
      </Empty>
    </section>
  );
}

function levelOf(q: string): (typeof CHOICES)[number][0] {
  const term = parseFilter(q).find(({ key, operator }) => key === 'level' && operator === '>=');
  return CHOICES.find(([level]) => level === term?.value.toUpperCase())?.[0] ?? ALL;
}

function useLines(logs: Logs, q: string, version: number): readonly LogRecord[] {
  const filtered = useMemo(() => new FilteredLogs(logs, compile(parseFilter(q), logLens)), [logs, q]);
  return useMemo(() => {
    filtered.update();
    return filtered.lines;
  }, [filtered, version]);
}

function Message({ line }: { readonly line: LogRecord }): JSX.Element {
  const words = previewOf(line);
  return (
    <>
      <Line text={line.message} limit={400} />
      {words !== '' && <Line class="preview muted" text={words} limit={200} />}
    </>
  );
}

function columnsFor(manyServices: boolean): Column<LogRecord>[] {
  return [
    { key: 'time', name: 'Time', render: ({ time }) => <span class="muted">{clock(time)}</span> },
    { key: 'level', name: 'Level', render: ({ level }) => <LevelWord level={level} /> },
    {
      key: 'logger',
      name: manyServices ? 'Service, logger' : 'Logger',
      render: ({ logger, service }) => (
        <span class="muted">
          {manyServices && service !== logger && (
            <>
              <Line text={service} limit={40} />
              {' · '}
            </>
          )}
          <Line text={logger} limit={60} />
        </span>
      ),
    },
    { key: 'message', name: 'Message', render: (line) => <Message line={line} /> },
    {
      key: 'trace',
      name: 'Trace',
      render: ({ traceId, spanId }) =>
        traceId !== undefined && (
          <a class="mono" href={to('traces', { trace: traceId, span: spanId })} tabIndex={-1} title="Open its trace">
            {traceId.slice(0, 6)}
          </a>
        ),
    },
  ];
}
