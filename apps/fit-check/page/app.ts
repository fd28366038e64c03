/** The page put together: what is asked, what is shown, what is remembered. */
import { type FitCheckClient, FitCheckError, type FitCheckEvent } from '../client/index.ts';
import { Analysis } from './model/analysis.ts';
import { HISTORY_KEY, type History, isSessionId } from './model/history.ts';
import { problemOf } from './model/problems.ts';
import { plainLine } from './text/plain.ts';
import { type Composer, createComposer } from './view/composer.ts';
import { createCopyButton } from './view/copy-button.ts';
import { byId } from './view/dom.ts';
import { LEVEL_LABELS, PHASE_DOING } from './view/format.ts';
import { addressOf, showHistory } from './view/history-list.ts';
import { createResultView, type ResultView } from './view/result.ts';

export interface App {
  start(): void;
}

export function createApp(client: FitCheckClient, history: History): App {
  return new Page(client, history);
}

/** An analysis with its view and what stops it. `opened`: read again, not asked from here. */
interface Shown {
  readonly analysis: Analysis;
  readonly view: ResultView;
  readonly opened: boolean;
  readonly stop: AbortController;
}

const TITLE = 'fit-check';
/** Codes that say how a session ended, and not how its reading did. */
const ENDINGS: ReadonlySet<string> = new Set(['cancelled', 'interrupted', 'failed', 'timeout']);

class Page implements App {
  readonly #client: FitCheckClient;
  readonly #history: History;
  readonly #composer: Composer;
  readonly #place = byId('result', HTMLElement);
  readonly #past = byId('past', HTMLElement);
  readonly #pastList = byId('past-list', HTMLElement);
  /** Read aloud, soberly: where the analysis is, and how it ended. */
  readonly #status = byId('status', HTMLElement);
  #shown: Shown | undefined;
  /** What runs, shown or not. */
  #live: Shown | undefined;
  #drawing = false;

  constructor(client: FitCheckClient, history: History) {
    this.#client = client;
    this.#history = history;
    this.#composer = createComposer({
      ask: (query) => this.#ask(query),
      cancel: () => this.#live?.stop.abort(),
    });
  }

  start(): void {
    byId('forget', HTMLButtonElement).addEventListener('click', () => this.#forgetAll());
    byId('home', HTMLAnchorElement).addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      // A draft stays; what was asked already has an address of its own.
      if (this.#composer.text.trim() === this.#shown?.analysis.query) this.#composer.text = '';
      this.#goTo('/');
      this.#composer.focus();
    });
    // The address changes with a jump to a piece of evidence too.
    window.addEventListener('popstate', () => this.#follow(false));
    window.addEventListener('hashchange', reveal);
    window.addEventListener('storage', ({ key }) => key === HISTORY_KEY && this.#listPast());
    this.#follow(true);
    this.#listPast();
  }

  #ask(query: string): void {
    if (this.#live !== undefined) {
      this.#say('Another analysis is running.');
      return;
    }
    const id = this.#client.newSessionId();
    const analysis = new Analysis(id, 'running', query);
    const shown = this.#createShown(analysis, false);
    this.#live = shown;
    this.#composer.running(true);
    this.#history.put({ id, query, at: new Date().toISOString(), status: 'running' });
    window.history.pushState(null, '', addressOf(id));
    this.#show(shown);
    this.#bringIntoView();
    const { signal } = shown.stop;
    void this.#read(shown, this.#client.analyse({ query, sessionId: id, thoughts: true }, { signal }));
  }

  #open(id: string): void {
    const analysis = new Analysis(id, 'opening');
    const shown = this.#createShown(analysis, true);
    this.#show(shown);
    this.#say('Opening the analysis.');
    void this.#read(shown, this.#client.follow(id, { thoughts: true, signal: shown.stop.signal }));
  }

  /** Shows what the address says. */
  #follow(isFirst: boolean): void {
    const id = new URLSearchParams(location.search).get('session') ?? undefined;
    if (id === this.#shown?.analysis.id) return;
    if (id === undefined) this.#show(undefined);
    else if (id === this.#live?.analysis.id) this.#show(this.#live);
    else if (isSessionId(id)) this.#open(id);
    else this.#showNothing(id);
    if (!isFirst) this.#shown?.view.heading.focus({ preventScroll: true });
  }

  /** What is no id is not asked for. */
  #showNothing(id: string): void {
    const analysis = new Analysis(id, 'opening');
    analysis.stop('failed', new FitCheckError('not_found', 'This is no id of a session.'));
    this.#show(this.#createShown(analysis, true));
  }

  #goTo(address: string): void {
    if (address !== `${location.pathname}${location.search}`) window.history.pushState(null, '', address);
    this.#follow(false);
    window.scrollTo({ top: 0 });
  }

  #createShown(analysis: Analysis, opened: boolean): Shown {
    const address = new URL(addressOf(analysis.id), location.href).href;
    const view = createResultView(analysis, opened, {
      copy: createCopyButton(address, (words) => this.#say(words)),
      again: () => {
        this.#composer.text = analysis.query;
        this.#composer.focus();
        this.#ask(analysis.query);
      },
      edit: () => {
        if (this.#composer.text === '') this.#composer.text = analysis.query;
        this.#composer.focus();
      },
      ask: () => this.#composer.focus(),
      reload: () => {
        this.#open(analysis.id);
        this.#shown?.view.heading.focus();
      },
    });
    return { analysis, view, opened, stop: new AbortController() };
  }

  /** An analysis that is only read again is not read on once something else is shown. */
  #show(shown: Shown | undefined): void {
    if (this.#shown !== undefined && this.#shown !== this.#live) this.#shown.stop.abort();
    this.#shown = shown;
    this.#place.replaceChildren(...(shown === undefined ? [] : [shown.view.element]));
    this.#place.hidden = shown === undefined;
    document.body.classList.toggle('has-result', shown !== undefined);
    shown?.view.update();
    this.#retitle();
    this.#listPast();
  }

  async #read(shown: Shown, events: AsyncIterable<FitCheckEvent>): Promise<void> {
    const { analysis, stop } = shown;
    try {
      for await (const event of events) {
        analysis.apply(event);
        this.#announce(shown, event);
        this.#draw();
      }
    } catch (error) {
      if (!stop.signal.aborted) analysis.stop('failed', error);
      else if (shown === this.#live) analysis.stop('cancelled', new FitCheckError('cancelled', 'Cancelled here.'));
    }
    if (shown.opened && stop.signal.aborted) return;
    this.#settle(shown);
  }

  #settle(shown: Shown): void {
    const { analysis } = shown;
    if (shown === this.#live) {
      this.#live = undefined;
      this.#composer.running(false);
    }
    this.#remember(shown);
    this.#draw();
    this.#retitle();
    if (shown !== this.#shown) return;
    if (analysis.status === 'complete') this.#say(verdictWords(analysis));
    // A failure is read aloud by its own notice.
    else if (analysis.status === 'cancelled') this.#say(problemOf(analysis.error, false).title);
  }

  /** What was opened by a link is kept as well, once it is known to exist; one that could not be read says nothing new. */
  #remember({ analysis, opened }: Shown): void {
    const { id, query, score, level, status, createdAt, error } = analysis;
    if (status === 'opening' || status === 'running') return;
    const known = this.#history.list().find((entry) => entry.id === id);
    const isTold =
      status === 'complete' || (known !== undefined && error instanceof FitCheckError && ENDINGS.has(error.code));
    if (opened && !isTold) return;
    this.#history.put({
      id,
      query: query || known?.query || '',
      at: known?.at ?? createdAt ?? new Date().toISOString(),
      status,
      ...(score !== undefined && { score }),
      ...(level !== undefined && { level }),
    });
    this.#listPast();
  }

  /** Once a frame, however fast events come. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#shown?.view.update();
    });
  }

  #announce(shown: Shown, event: FitCheckEvent): void {
    if (shown !== this.#shown) return;
    if (event.type === 'phase' && !shown.opened) this.#say(`${PHASE_DOING[event.phase]}.`);
    else if (event.type === 'waiting')
      this.#say(event.reason === 'network' ? 'The connection broke; looking for the result.' : 'Still running.');
  }

  #say(words: string): void {
    this.#status.textContent = words;
  }

  #retitle(): void {
    const { query, status } = this.#shown?.analysis ?? { query: '', status: undefined };
    const name = query === '' ? '' : `${plainLine(query, 60)} · `;
    document.title = `${status === 'running' ? '… ' : ''}${name}${TITLE}`;
  }

  #bringIntoView(): void {
    const { top } = this.#place.getBoundingClientRect();
    if (top < window.innerHeight * 0.6) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#place.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' });
  }

  #listPast(): void {
    const entries = this.#history.list();
    this.#past.hidden = entries.length === 0;
    showHistory(this.#pastList, entries, this.#shown?.analysis.id, {
      open: (id) => this.#goTo(addressOf(id)),
      remove: (id) => this.#forget(id),
    });
  }

  /** The focus goes to the neighbour of what is gone. */
  #forget(id: string): void {
    const at = this.#history.list().findIndex((entry) => entry.id === id);
    this.#history.remove(id);
    this.#listPast();
    const links = this.#pastList.querySelectorAll<HTMLElement>('.past-link');
    const next = links[Math.min(at, links.length - 1)];
    if (next === undefined) this.#composer.focus();
    else next.focus();
    this.#say('Removed from the list.');
  }

  #forgetAll(): void {
    this.#history.clear();
    this.#listPast();
    this.#composer.focus();
    this.#say('The list is empty now.');
  }
}

/** Opens what a jump leads into: not all browsers do. */
function reveal(): void {
  const target = document.querySelector<HTMLElement>(':target');
  const fold = target?.closest('details');
  if (fold === null || fold === undefined || fold.open) return;
  fold.open = true;
  target?.scrollIntoView({ block: 'center' });
  target?.focus({ preventScroll: true });
}

function verdictWords({ score, level }: Analysis): string {
  const rated = level === undefined ? '' : `: ${score === undefined ? '' : `${score} of 100, `}${LEVEL_LABELS[level]}`;
  return `The verdict is ready${rated}.`;
}
