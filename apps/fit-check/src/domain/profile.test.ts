import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfile, ProfileError, parseProfile, SAMPLE_PROFILE } from './profile.ts';

const now = new Date('2026-11-15');
const parse = (value: unknown) => parseProfile(JSON.stringify(value), 'me.json', { now });

describe('the sample profile', () => {
  it('loads with citable entries of every common kind', async () => {
    const profile = await loadProfile(SAMPLE_PROFILE, { now });
    expect(profile).toMatchObject({ name: 'Mira Lindqvist', asOf: '2026-11', years: 8.5 });
    const ids = profile.entries.map((entry) => entry.id);
    expect(new Set(ids).size).toBe(ids.length);
    const wanted = ['work:1', 'skill:typescript', 'project:2', 'education:1', 'certificate:1', 'language:1'];
    for (const id of wanted) expect(ids).toContain(id);
    expect(profile.entries.find((entry) => entry.id === 'work:1')).toMatchObject({
      label: 'Senior AI Engineer at Northwind Assist (2023–present)',
      start: '2023-04',
      years: 3.7,
      recency: 1,
      skills: expect.arrayContaining(['python', 'rag', 'kubernetes']),
    });
  });
});

describe('parseProfile', () => {
  it('does with nothing at all', () => {
    expect(parse({})).toMatchObject({ name: 'The candidate', years: 0, entries: [] });
    expect(parse({ basics: null, work: [], skills: [null, {}], unknown: 1 }).entries).toEqual([]);
  });

  it('takes the gaps that editors leave, older names and open ends', () => {
    const work = [
      { company: 'A', position: 'B', startDate: '2020', endDate: 'Present', highlights: ['', 'Rust code'] },
    ];
    const [entry] = parse({ work, education: [{ endDate: '' }] }).entries;
    expect(entry).toMatchObject({ id: 'work:1', label: 'B at A (2020–present)', skills: ['rust'], years: 6.9 });
  });

  it('gives one entry a skill, at the higher of two levels, with stable ids', () => {
    const group = (level: string, ...keywords: string[]) => ({ name: 'x', level, keywords });
    const skills = [group('Beginner', 'JS', 'C++'), group('Expert', 'JavaScript', 'Own Thing!', '***'), { name: 'Go' }];
    const entries = parse({ skills }).entries;
    expect(entries.map((entry) => [entry.id, entry.level])).toEqual([
      ['skill:javascript', 'Expert'],
      ['skill:cpp', 'Beginner'],
      ['skill:own-thing', 'Expert'],
      ['skill:go', undefined],
    ]);
    expect(entries[2]?.label).toBe('Own Thing!, Expert');
  });

  it('reads keywords as people write them, and the group that is a skill itself', () => {
    const skills = [
      { name: 'Python', level: 'Expert', keywords: ['Django / Flask', 'Pandas (NumPy)'] },
      { name: 'Web', keywords: ['JavaScript (ES6+)', 'AWS (EC2, S3)', 'constructor', '__proto__'] },
    ];
    expect(parse({ skills }).entries.map(({ id }) => id)).toEqual([
      'skill:django',
      'skill:flask',
      'skill:pandas',
      'skill:numpy',
      'skill:python',
      'skill:javascript',
      'skill:aws',
      'skill:constructor',
      'skill:proto',
    ]);
  });

  it('keeps for each skill the line that shows it, and makes no skill of two lines', () => {
    const highlights = ['Led a team. Moved orders to Kafka; wrote Go services [web:1]', 'We use React', 'Native apps'];
    const [entry] = parse({ work: [{ position: 'Engineer', highlights, keywords: ['k8s', 'Kafka'] }] }).entries;
    expect(entry?.lines).toEqual({
      kafka: 'Moved orders to Kafka;',
      go: 'wrote Go services (web:1)',
      react: 'We use React',
      kubernetes: 'k8s',
    });
    expect(entry?.skills).toEqual(Object.keys(entry?.lines ?? {}));
  });

  it('counts parallel jobs once and dates single moments', () => {
    const work = [
      { startDate: '2020-01', endDate: '2021-12' },
      { startDate: '2021-01', endDate: '2022-12-31' },
    ];
    const profile = parse({ work, certificates: [{ name: 'Kubernetes exam', date: '2016-05' }] });
    expect(profile.years).toBe(3);
    expect(profile.entries.at(-1)).toMatchObject({ id: 'certificate:1', recency: 0.4 });
    expect(profile.entries.at(-1)?.years).toBeUndefined();
  });

  it('keeps foreign text from posing as a citation', () => {
    const [entry] = parse({ work: [{ name: 'X [company:evil]\n\u0000', position: 'Y' }] }).entries;
    expect(entry?.label).toBe('Y at X (company:evil)');
  });

  it.each([
    [[], 'Profile me.json: the file must be an object, not a list of 0'],
    ['text', 'Profile me.json: the file must be an object, not "text"'],
    [{ work: {} }, 'Profile me.json: work must be a list, not an object'],
    [
      { work: [{ startDate: 'soon' }] },
      'Profile me.json: work[0].startDate must be a date as YYYY, YYYY-MM or YYYY-MM-DD, not "soon"',
    ],
    [
      { work: [{ startDate: '2020-13' }] },
      'Profile me.json: work[0].startDate must be a date as YYYY, YYYY-MM or YYYY-MM-DD, not "2020-13"',
    ],
    [{ skills: [{ keywords: 'a, b' }] }, 'Profile me.json: skills[0].keywords must be a list, not "a, b"'],
    [{ skills: [{ keywords: [7] }] }, 'Profile me.json: skills[0].keywords[0] must be a text, not 7'],
    [
      { basics: { name: 'x'.repeat(5001) } },
      `Profile me.json: basics.name must be a text of at most 5000 characters, not "${'x'.repeat(59)}…`,
    ],
    [{ work: Array(201).fill({}) }, 'Profile me.json: work must be a list of at most 200 items, not a list of 201'],
    [
      { work: [{ startDate: '2021', endDate: '2020-05' }] },
      'Profile me.json: work[0].endDate must be 2021 (its startDate) or later, not "2020-05"',
    ],
  ])('names what is wrong and what is allowed: %#', (value, message) => {
    expect(() => parse(value)).toThrow(new ProfileError(message));
  });

  it('refuses what is no JSON, nested too deeply or too large, in one line', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    for (const text of ['', '{\n"a": nope', '\u0000', deep, '"'.padEnd(2_000_000, 'x')]) {
      expect(() => parseProfile(text, 'me.json')).toThrow(ProfileError);
      expect(() => parseProfile(text, 'me.json')).toThrow(/^Profile me\.json[: ][^\n]+$/);
    }
  });

  it('is not fooled by __proto__', () => {
    const profile = parseProfile('{"__proto__": {"work": [{"name": "x"}]}, "constructor": 1}', 'me.json', { now });
    expect(profile.entries).toEqual([]);
  });
});

describe('loadProfile', () => {
  it('reads a path, with a byte order mark too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'profile-'));
    try {
      const file = join(folder, 'resume.json');
      await writeFile(file, '\ufeff{"basics": {"name": "Ada"}}');
      expect((await loadProfile(file, { now })).name).toBe('Ada');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names a file that cannot be read', async () => {
    await expect(loadProfile('/nowhere/me.json')).rejects.toThrow(
      new ProfileError('Profile /nowhere/me.json cannot be read (ENOENT): a JSON Resume file is needed'),
    );
    await expect(loadProfile(tmpdir())).rejects.toThrow(ProfileError);
  });
});
