/** What stands around each view: where one can go, what is shown here, and how the line to it stands. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { count } from '../model/format.ts';
import { to, VIEW_NAMES, VIEWS, type View } from '../model/place.ts';
import { AiView } from './ai-view.tsx';
import { useApp, useVersion } from './context.ts';
import { HealthView } from './health-view.tsx';
import { Icon, type IconName } from './icons.tsx';
import { VIEW_KEYS } from './keys.ts';
import { LiveView } from './live-view.tsx';
import { LogsView } from './logs-view.tsx';
import { MetricsView } from './metrics-view.tsx';
import { BeforeHello, LineNotice, RestartNotice } from './notice.tsx';
import { TelemetryView } from './telemetry-view.tsx';
import { Line } from './text.tsx';
import { chooseTheme, currentTheme, THEMES, type Theme } from './theme.ts';
import { TracesView } from './traces-view.tsx';

const SCREENS: Readonly<Record<View, () => JSX.Element>> = {
  live: LiveView,
  traces: TracesView,
  logs: LogsView,
  ai: AiView,
  metrics: MetricsView,
  health: HealthView,
  telemetry: TelemetryView,
};

interface ShellProps {
  readonly onHelp: () => void;
  readonly onRetry: () => void;
}

export function Shell({ onHelp, onRetry }: ShellProps): JSX.Element {
  const { place, console } = useApp();
  useVersion(({ hello }) => hello?.now ?? 0);
  const { hello } = console;
  const Screen = SCREENS[place.view];
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // Who went to another view by key or link goes on reading there.
    if (!first.current && document.activeElement?.closest('.nav') === null)
      main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [place.view]);
  return (
    <div class="shell">
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a part of this page, whose address says something else */}
      <a class="skip" href="#main" onClick={(event) => skip(event, main.current)}>
        Skip to the content
      </a>
      <header class="side">
        <Brand />
        <Target />
        <Nav />
        <div class="side-foot">
          <LineDot />
          <ThemeSwitch />
          <button
            type="button"
            class="icon-button"
            onClick={onHelp}
            aria-label="Help: keyboard and search"
            title="Help (?)"
          >
            <Icon name="help" />
          </button>
        </div>
      </header>
      <main class="main" id="main" ref={main} tabIndex={-1}>
        <RestartNotice />
        {hello !== undefined && <LineNotice onRetry={onRetry} />}
        {hello === undefined ? <BeforeHello onRetry={onRetry} /> : <Screen key={place.view} />}
      </main>
    </div>
  );
}

/** The address's hash says where one is: this link must leave it alone. */
function skip(event: MouseEvent, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

export function Brand(): JSX.Element {
  return (
    <div class="brand">
      <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="9.25" />
        <path d="M15.8 8.2l-2.3 5.3-5.3 2.3 2.3-5.3z" />
      </svg>
      Binnacle
    </div>
  );
}

function Target(): JSX.Element {
  useVersion(({ hello }) => hello?.now ?? 0);
  const { console, line } = useApp();
  const { hello } = console;
  return (
    <div class="target">
      <strong>{hello === undefined ? 'No service yet' : <Line text={hello.service} limit={60} />}</strong>
      <span class="muted">
        {hello === undefined ? LINE_WORDS[line.kind] : <Line text={subtitle(hello)} limit={80} />}
      </span>
    </div>
  );
}

function subtitle({ mode, environment, version }: { mode: string; environment: string; version: string }): string {
  if (mode === 'standalone') return 'OTLP over HTTP';
  return [environment, version].filter((word) => word !== '').join(' · ');
}

function Nav(): JSX.Element {
  const { place, console } = useApp();
  useVersion(({ version }) => version);
  const figures: Readonly<Partial<Record<View, number>>> = { live: console.moments.live?.total };
  const status = console.moments.health?.status;
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    // Where there is no room for all of them, the one in hand is to be seen.
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    // What stands beside a name makes it wider.
  }, [place.view, status, figures.live === undefined]);
  return (
    <nav class="nav" aria-label="Views" ref={box}>
      {VIEWS.map((view) => {
        const figure = figures[view] ?? 0;
        return (
          <a
            key={view}
            href={to(view)}
            aria-current={place.view === view ? 'page' : undefined}
            aria-keyshortcuts={`g ${VIEW_KEYS[view]}`}
            title={`${VIEW_NAMES[view]} (g ${VIEW_KEYS[view]})`}
          >
            <Icon name={view as IconName} />
            <span class="nav-name">{VIEW_NAMES[view]}</span>
            {figure > 0 && (
              <span class="nav-figure">
                {count(figure)}
                <span class="unseen"> running</span>
              </span>
            )}
            {view === 'health' && status !== undefined && status !== 'healthy' && (
              <span class={`dot ${status}`}>
                <span class="unseen">{status}</span>
              </span>
            )}
          </a>
        );
      })}
    </nav>
  );
}

const LINE_WORDS = {
  connecting: 'Connecting',
  open: 'Connected',
  waiting: 'Reconnecting',
  login: 'Asks for a token',
  refused: 'Not here',
} as const;

function LineDot(): JSX.Element {
  const { line } = useApp();
  return (
    <span class={`line-state ${line.kind}`} role="status">
      <span class="line-dot" />
      <span class="line-words">{LINE_WORDS[line.kind]}</span>
    </span>
  );
}

const THEME_LOOK: Readonly<Record<Theme, { readonly icon: IconName; readonly name: string }>> = {
  auto: { icon: 'screen', name: 'Colours: as the system has them' },
  light: { icon: 'sun', name: 'Colours: light' },
  dark: { icon: 'moon', name: 'Colours: dark' },
};

function ThemeSwitch(): JSX.Element {
  const [theme, setTheme] = useState(currentTheme());
  const { icon, name } = THEME_LOOK[theme];
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
  const change = (): void => {
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" class="icon-button" onClick={change} aria-label={name} title={name}>
      <Icon name={icon} />
    </button>
  );
}
