import { describe, expect, it } from 'vitest';
import { findSkills, isKnownSkill, skillCategory } from './skills.ts';
import {
  aliasKey,
  CATEGORIES,
  checkSkills,
  FAMILIES,
  IMPLIES,
  parseRelations,
  parseSkills,
  SKILLS,
} from './taxonomy.ts';

const known = new Set(['a', 'b', 'c']);

describe('the shipped taxonomy', () => {
  it('covers industries far beyond software, each with skills of its own', () => {
    expect(SKILLS.length).toBeGreaterThanOrEqual(500);
    for (const category of CATEGORIES) {
      expect(SKILLS.filter((skill) => skill.category === category).length, category).toBeGreaterThanOrEqual(4);
    }
  });

  it('lets no two skills claim one way to write them, however it is spelt', () => {
    const owners = new Map<string, Set<string>>();
    for (const { id, aliases } of SKILLS) {
      for (const { text } of aliases) {
        const key = aliasKey(text).replaceAll(' ', '');
        owners.set(key, (owners.get(key) ?? new Set()).add(id));
      }
    }
    expect([...owners].filter(([, ids]) => ids.size > 1)).toEqual([]);
  });

  it('relates known skills, no skill to itself, and nothing in a circle', () => {
    for (const [from, to] of Object.entries(IMPLIES))
      expect([from, ...to].filter((id) => !isKnownSkill(id))).toEqual([]);
    for (const family of FAMILIES) expect(new Set(family).size).toBe(family.length);
    const above = (id: string, seen: readonly string[]): void => {
      expect(seen).not.toContain(id);
      for (const next of IMPLIES[id] ?? []) above(next, [...seen, id]);
    };
    for (const id of Object.keys(IMPLIES)) above(id, []);
  });

  it.each<[string, string, readonly string[]]>([
    [
      'an intensive care nurse',
      'Registered nurse for our ICU: ventilator management, medication administration, electronic health records; ACLS and BLS required. On-call rota, patient monitoring.',
      ['critical-care', 'patient-care', 'health-records', 'life-support'],
    ],
    [
      'an accountant',
      'Month-end close, accounts payable, VAT returns and IFRS reporting in SAP. CPA preferred, Excel with pivot tables.',
      ['accounting', 'tax', 'erp', 'chartered-accountant', 'excel'],
    ],
    [
      'a payments analyst at a bank',
      'SWIFT messages, SEPA and ISO 20022; KYC and AML screening; credit risk reports in SQL.',
      ['payments', 'aml', 'risk', 'sql'],
    ],
    [
      'a lawyer',
      'Admitted to the bar, with experience in mergers and acquisitions, due diligence, contract drafting and antitrust.',
      ['bar-admission', 'investment-banking', 'due-diligence', 'legal', 'competition-law'],
    ],
    [
      'a mechanical engineer',
      'Mechanical design in SolidWorks and CATIA, FEA with Ansys, GD&T drawings, FMEA and ISO 9001.',
      ['mechanical-engineering', 'cad', 'finite-elements', 'technical-drawing', 'quality-management'],
    ],
    [
      'an automation technician',
      'Programming Siemens PLC and SCADA systems, TIA Portal, preventive maintenance, lean manufacturing, health and safety.',
      ['plc', 'scada', 'maintenance', 'lean', 'occupational-safety'],
    ],
    [
      'a grid planner',
      'Power grid studies for offshore wind and battery storage, electricity markets, smart meters.',
      ['power-systems', 'renewables', 'energy-storage', 'energy-markets', 'metering'],
    ],
    [
      'a dispatcher',
      'Freight forwarding, customs clearance with Incoterms, warehouse management in a WMS, route planning; shipping containers by sea.',
      ['transport', 'customs', 'warehousing'],
    ],
    [
      'a teacher',
      'Lesson planning and classroom management, special needs education, Moodle; teaching licence, fluent German.',
      ['teaching', 'special-education', 'learning-platforms', 'teaching-licence', 'german'],
    ],
    [
      'a pharma quality manager',
      'GMP, GLP and GCP audits, process validation, HPLC and mass spectrometry, pharmacovigilance, ISO 13485.',
      [
        'gmp',
        'clinical-research',
        'process-validation',
        'analytical-chemistry',
        'pharmacovigilance',
        'medical-devices',
      ],
    ],
    [
      'a hotel manager',
      'Hotel operations and guest relations, revenue management, event planning, housekeeping, menu planning.',
      ['hospitality', 'pricing', 'event-management', 'cleaning', 'food-service'],
    ],
    [
      'an underwriter',
      'Insurance underwriting, reinsurance, Solvency II, loss reserving and claims handling.',
      ['insurance', 'actuarial'],
    ],
    [
      'a policy officer',
      'Policy analysis for the public sector, monitoring and evaluation, stakeholder management, public tenders.',
      ['public-policy', 'programme-evaluation', 'stakeholder-management', 'public-procurement'],
    ],
    [
      'a site manager',
      'Site supervision, BIM with Revit, quantity surveying, structural engineering, HVAC.',
      ['construction', 'bim', 'quantity-surveying', 'structural-engineering', 'building-services'],
    ],
    [
      'an editor',
      'Investigative reporting, copy editing and proofreading, search engine optimisation, social media management.',
      ['journalism', 'text-editing', 'seo', 'social-media'],
    ],
  ])('reads the job of %s, and no technology into it', (_, text, skills) => {
    const found = findSkills(text);
    expect(found).toEqual(expect.arrayContaining([...skills]));
    const technical = ['frontend', 'backend', 'mobile', 'cloud', 'devops'];
    expect(found.filter((id) => technical.includes(skillCategory(id) ?? ''))).toEqual([]);
  });
});

describe('parseSkills', () => {
  it('reads rows under their category, with marks, comments and either line ending', () => {
    expect(parseSkills('# x\r\n[language]\r\n\r\ngo | Go | !go, Golang\nml | ML | ^ml, ~mill\n', 'x.txt')).toEqual([
      {
        id: 'go',
        name: 'Go',
        category: 'language',
        aliases: [
          { text: 'go', mark: 'strict' },
          { text: 'golang', mark: 'sure' },
        ],
      },
      {
        id: 'ml',
        name: 'ML',
        category: 'language',
        aliases: [
          { text: 'ml', mark: 'caps' },
          { text: 'mill', mark: 'word' },
        ],
      },
    ]);
  });

  it('takes a spoken language within its frames, its bare name only in surroundings that say so', () => {
    const [danish] = parseSkills('[spoken]\ndanish | Danish |', 'x.txt');
    expect(danish?.aliases).toContainEqual({ text: 'danish', mark: 'strict' });
    expect(danish?.aliases).toContainEqual({ text: 'fluent danish', mark: 'sure' });
  });

  it.each([
    ['a | A |', 'Taxonomy x.txt line 1: a skill needs a [category] above it'],
    ['[cooking]', 'Taxonomy x.txt line 1: no such category: cooking'],
    ['[data]\na | A', 'Taxonomy x.txt line 2: a skill is written id | name | other ways to write it'],
    ['[data]\nA b | A |', 'Taxonomy x.txt line 2: a skill is written id | name | other ways to write it'],
    ['[data]\n# x\na | | b', 'Taxonomy x.txt line 3: a skill is written id | name | other ways to write it'],
    ['[data]\na | A | b | c', 'Taxonomy x.txt line 2: a skill is written id | name | other ways to write it'],
    ['[data]\na | A | one two three four five', 'Taxonomy x.txt line 2: "one two three four five" is not 1 to 4 words'],
    ['[data]\na | A | !', 'Taxonomy x.txt line 2: "" is not 1 to 4 words'],
  ])('names the file, the line and the fault: %j', (text, message) => {
    expect(() => parseSkills(text, 'x.txt')).toThrow(new Error(message));
  });
});

describe('checkSkills', () => {
  it.each([
    ['a | A | x\na | B | y', 'the id a is claimed by a and by a'],
    ['a | A | x\nb | A | y', 'the name A is claimed by a and by b'],
    ['a | A | x y\nb | B | X-Y', '"x y" is claimed by a and by b'],
    ['a | A |\nb | B | a', '"a" is claimed by a and by b'],
  ])('refuses what is claimed twice: %j', (rows, message) => {
    expect(() => checkSkills(parseSkills(`[data]\n${rows}`, 'x.txt'))).toThrow(new Error(`Taxonomy: ${message}`));
  });
});

describe('parseRelations', () => {
  it('reads families and what implies what', () => {
    expect(parseRelations('# x\na > b, c\na ~ c', 'r.txt', known)).toEqual({
      families: [['a', 'c']],
      implies: { a: ['b', 'c'] },
    });
  });

  it.each([
    ['a > z', 'no such skill: z'],
    ['a >', 'no such skill: (none)'],
    ['a', 'two skills or more, each once'],
    ['a ~ b ~ a', 'two skills or more, each once'],
    ['a > b > c', 'a relation is written a > b, c or a ~ b ~ c'],
    ['a, b > c', 'a relation is written a > b, c or a ~ b ~ c'],
    ['a > b ~ c', 'a relation is written a > b, c or a ~ b ~ c'],
    ['a > b\na > c', 'a is there twice'],
  ])('names the fault: %j', (text, message) => {
    expect(() => parseRelations(text, 'r.txt', known)).toThrow(
      new Error(`Taxonomy r.txt line ${text.split('\n').length}: ${message}`),
    );
  });
});
