/** The verdict as it is written: finished paragraphs stay as they are, only the last one is set again. */

import { count } from '../model/problems.ts';
import type { Block, Inline } from '../text/markdown.ts';
import { readBlocks } from '../text/markdown.ts';
import { createPieces, type Pieces } from '../text/pieces.ts';
import { fill, h } from './dom.ts';
import { anchorOf, nameOfId } from './format.ts';

/** UTF-16 units of a verdict that are shown; one has about 2,500. */
const MOST_SHOWN = 100_000;

export interface VerdictView {
  readonly element: HTMLElement;
  /** Shows more of the text; gives the ids that it cites. */
  push(text: string): readonly string[];
  /** Citations of these ids lead nowhere. */
  disown(unknown: ReadonlySet<string>): void;
}

export function createVerdictView(): VerdictView {
  const pieces: Pieces = createPieces(MOST_SHOWN);
  const last = h('div');
  const cut = h('p', { class: 'muted', hidden: true });
  const element = h('div', { class: 'prose' }, last, cut);
  return {
    element,
    push(text) {
      const ids: string[] = [];
      for (const piece of pieces.push(text)) last.before(...readBlocks(piece).map((block) => toElement(block, ids)));
      fill(last, ...readBlocks(pieces.rest).map((block) => toElement(block, ids)));
      if (pieces.leftOut > 0) {
        cut.hidden = false;
        cut.textContent = `${count(pieces.leftOut)} more characters are left out here.`;
      }
      return ids;
    },
    disown(unknown) {
      for (const link of element.querySelectorAll<HTMLAnchorElement>('a.cite')) {
        if (!unknown.has(link.dataset.id ?? '')) continue;
        const title = 'Nothing bears this id';
        link.replaceWith(h('span', { class: 'cite unknown', title }, link.textContent ?? ''));
      }
    },
  };
}

function toElement(block: Block, ids: string[]): HTMLElement {
  if (block.kind !== 'list') return h(block.kind === 'heading' ? 'h4' : 'p', {}, ...toNodes(block.children, ids));
  const items = block.items.map((item) => h('li', {}, ...toNodes(item, ids)));
  return h(block.ordered ? 'ol' : 'ul', {}, ...items);
}

function toNodes(inlines: readonly Inline[], ids: string[]): (Node | string)[] {
  return inlines.map((inline) => {
    if (inline.kind === 'text') return inline.text;
    if (inline.kind === 'code') return h('code', {}, inline.text);
    if (inline.kind === 'cite') {
      ids.push(inline.id);
      return citation(inline.id);
    }
    return h(inline.kind, {}, ...toNodes(inline.children, ids));
  });
}

/** A link to what an id stands for. */
export function citation(id: string): HTMLAnchorElement {
  const link = h('a', { class: 'cite', href: `#${encodeURIComponent(anchorOf(id))}`, title: nameOfId(id) }, id);
  link.dataset.id = id;
  return link;
}
