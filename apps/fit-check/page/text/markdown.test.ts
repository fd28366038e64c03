import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeVerdict } from '../../src/domain/analyst.ts';
import { citedIds } from '../../src/domain/citations.ts';
import { queryFinding } from '../../src/domain/finding.ts';
import { analyseGaps } from '../../src/domain/gaps.ts';
import { matchSkills } from '../../src/domain/matching.ts';
import { loadProfile, SAMPLE_PROFILE } from '../../src/domain/profile.ts';
import { createCorpus } from '../../src/domain/search.ts';
import { type Block, type Inline, readBlocks, readInlines } from './markdown.ts';

const wordsOf = (inlines: readonly Inline[]): string =>
  inlines
    .map((inline) =>
      'children' in inline ? wordsOf(inline.children) : inline.kind === 'cite' ? `[${inline.id}]` : inline.text,
    )
    .join('');
const linesOf = (blocks: readonly Block[]): string[] =>
  blocks.flatMap((block) => (block.kind === 'list' ? block.items.map(wordsOf) : [wordsOf(block.children)]));
const idsOf = (inlines: readonly Inline[]): string[] =>
  inlines.flatMap((inline) =>
    'children' in inline ? idsOf(inline.children) : inline.kind === 'cite' ? [inline.id] : [],
  );

describe('blocks', () => {
  it('reads headings, paragraphs and lists, a heading in bold too', () => {
    const blocks = readBlocks(
      '## One\n**Strengths**\n- **A**: [work:1]\n  more\n* B\nAlso this.\n1. first\n2) second\n\nThe end\nof it.',
    );
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'heading', 'list', 'paragraph', 'list', 'paragraph']);
    expect(linesOf(blocks)).toEqual([
      'One',
      'Strengths',
      'A: [work:1] more',
      'B',
      'Also this.',
      'first',
      'second',
      'The end\nof it.',
    ]);
    expect(blocks[4]).toMatchObject({ ordered: true });
  });

  it('leaves markup, links and images the text that they are', () => {
    const text = '<script>alert(1)</script> ![x](javascript:alert(1)) [click](https://evil.example) <b onclick=x>';
    expect(linesOf(readBlocks(text))).toEqual([text]);
    expect(readInlines(text).every(({ kind }) => kind === 'text')).toBe(true);
  });

  it('cites what the service takes for a citation in the verdicts that it writes', async () => {
    const profile = await loadProfile(SAMPLE_PROFILE);
    for (const query of ['Google', 'Anthropic', 'zzz', 'TypeScript, Rust, PostgreSQL and Kubernetes for a bank']) {
      const findings = [queryFinding(query), ...createCorpus().search(query)];
      const matching = matchSkills(profile, findings);
      const gaps = analyseGaps(profile, findings, matching);
      const { text } = composeVerdict({ query, profile, findings, matching, gaps });
      const read = readBlocks(text).flatMap((block) =>
        block.kind === 'list' ? block.items.flatMap(idsOf) : idsOf(block.children),
      );
      expect([...new Set(read)].sort()).toEqual(citedIds(text).sort());
      expect(linesOf(readBlocks(text)).join('\n')).not.toContain('**');
    }
  });
});

describe('what stands within a line', () => {
  it('reads each mark, and citations within emphasis', () => {
    expect(readInlines('**bold [work:1]** *lean* `code **x**` [job:a-1, query:1]')).toEqual([
      {
        kind: 'strong',
        children: [
          { kind: 'text', text: 'bold ' },
          { kind: 'cite', id: 'work:1' },
        ],
      },
      { kind: 'text', text: ' ' },
      { kind: 'em', children: [{ kind: 'text', text: 'lean' }] },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'code **x**' },
      { kind: 'text', text: ' ' },
      { kind: 'cite', id: 'job:a-1' },
      { kind: 'cite', id: 'query:1' },
    ]);
    expect(readInlines('2 * 3 * 4 [not an id] **open')).toEqual([
      { kind: 'text', text: '2 * 3 * 4 [not an id] **open' },
    ]);
  });

  it('loses nothing but marks, whatever the text is', () => {
    const parts = fc.constantFrom('**', '*', '`', '[', ']', 'work:1', ' ', 'a', '\n', '- ', '😀', '<b>', '#');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 40 }), (pieces) => {
        const bare = (text: string): string => text.replaceAll(/[*`[\]\s]/g, '');
        expect(bare(wordsOf(readInlines(pieces.join(''))))).toBe(bare(pieces.join('')));
      }),
    );
  });

  it('takes time in proportion to the text, however it is written', () => {
    const time = (text: string): number => {
      const began = performance.now();
      readInlines(text);
      return performance.now() - began;
    };
    for (const part of ['**a', '*a', '`a', '[a', '[work:1', '****', '[[[[']) {
      time(part.repeat(2000));
      const small = Math.min(...[1, 2, 3].map(() => time(part.repeat(4000))));
      const large = Math.min(...[1, 2, 3].map(() => time(part.repeat(64_000))));
      // 16 times the text; by its square it would be 256 times the time.
      expect(large, part).toBeLessThan(Math.max(small, 0.5) * 100);
    }
  });
});
