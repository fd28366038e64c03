/** What is to be said about the line to the service; calm, and where it is seen. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useApp, useVersion } from './context.ts';
import { Icon, type IconName } from './icons.tsx';
import { Code } from './text.tsx';

interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'error';
  readonly children: ComponentChildren;
}

function Notice({ tone, children }: NoticeProps): JSX.Element {
  const icon: IconName = tone === 'info' ? 'help' : tone;
  return (
    <div class={`notice ${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <Icon name={icon} />
      <div class="notice-words">{children}</div>
    </div>
  );
}

export function LineNotice({ onRetry }: { readonly onRetry: () => void }): JSX.Element | null {
  const { line } = useApp();
  if (line.kind === 'refused') {
    return (
      <Notice tone="error">
        <p>{line.because}</p>
        <button type="button" class="button small" onClick={onRetry}>
          Try again
        </button>
      </Notice>
    );
  }
  if (line.kind !== 'waiting') return null;
  return (
    <Notice tone="warning">
      <p>
        {line.because}. Reconnecting
        <Countdown until={line.until} />
        {' What is shown was true until then.'}
      </p>
      <button type="button" class="button small" onClick={onRetry}>
        Now
      </button>
    </Notice>
  );
}

/** Nothing is known yet: says what is waited for, or that there is nothing to wait for. */
export function BeforeHello({ onRetry }: { readonly onRetry: () => void }): JSX.Element {
  const { line } = useApp();
  const again = (words: string): JSX.Element => (
    <button type="button" class="button small" onClick={onRetry}>
      {words}
    </button>
  );
  if (line.kind === 'refused') {
    return (
      <div class="before" role="alert">
        <Empty icon="error" title="There is no console here for this page" isHeading>
          <p>{line.because}</p>
          {again('Try again')}
        </Empty>
      </div>
    );
  }
  if (line.kind === 'waiting') {
    return (
      <div class="before" role="status">
        <Empty icon="warning" title="The service does not answer" isHeading>
          <p>
            {line.because}. Trying again
            <Countdown until={line.until} />
          </p>
          {again('Now')}
        </Empty>
      </div>
    );
  }
  return (
    <div class="before" role="status">
      <Empty icon="live" title="Connecting…" isHeading />
    </div>
  );
}

/** Not read aloud each second: the notice itself says that it goes on. */
function Countdown({ until }: { readonly until: number }): JSX.Element {
  const left = (): number => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return <span aria-hidden="true">{seconds > 0 ? ` in ${seconds} s.` : '…'}</span>;
}

export function RestartNotice(): JSX.Element | null {
  useVersion(({ restarted }) => Number(restarted));
  const { console } = useApp();
  if (!console.restarted) return null;
  return (
    <Notice tone="info">
      <p>The service has started again: this console shows another start now. What the last one told is gone.</p>
      <button type="button" class="button small" onClick={() => console.forgetRestart()}>
        Good
      </button>
    </Notice>
  );
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  /** It is all that the page shows. */
  readonly isHeading?: boolean;
  readonly children?: ComponentChildren;
}

/** Nothing is here yet: says why, and what to do for it. */
export function Empty({ icon, title, isHeading = false, children }: EmptyProps): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      {isHeading ? <h1 class="empty-title">{title}</h1> : <p class="empty-title">{title}</p>}
      {children}
    </div>
  );
}

/** How something comes to be seen: by a request, or by telling another service where to send. */
export function HowToSend(): JSX.Element {
  useVersion(({ hello }) => hello?.now ?? 0);
  const { hello } = useApp().console;
  if (hello?.mode === 'standalone') {
    return (
      <>
        <p>Start any service that speaks OpenTelemetry, in any language, with:</p>
        <Code text={`OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`} />
      </>
    );
  }
  return (
    <>
      <p>Send the service a request. Probes, scrapes and this console itself are left out.</p>
      <Code text={`curl -i ${location.origin}/`} />
    </>
  );
}

/** Nothing of what is here fits the filter. */
export function NoMatch({ what }: { readonly what: string }): JSX.Element {
  const { change } = useApp();
  return (
    <Empty icon="search" title={`No ${what} fits this search`}>
      <button type="button" class="button small" onClick={() => change({ q: undefined, where: undefined }, 'step')}>
        Clear the search
      </button>
    </Empty>
  );
}
