import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { countSkills, findSkills, isKnownSkill, skillCategory, skillName, toSkillId, toSkillIds } from './skills.ts';
import { FAMILIES, IMPLIES, SKILLS } from './taxonomy.ts';

describe('findSkills', () => {
  it.each([
    ['JS, k8s and postgres', ['javascript', 'kubernetes', 'postgresql']],
    ['C++/C# with ASP.NET, .NET and F#.', ['cpp', 'csharp', 'dotnet', 'fsharp']],
    ['Node.js, nodejs, Node JS; NODE.JS', ['nodejs']],
    ['Experience with Next.js.Postgres too', ['nextjs', 'postgresql']],
    ['c++17 and python3 or Java 17, html5', ['cpp', 'python', 'java', 'html']],
    ['CI/CD, T-SQL, scikit-learn, A/B testing', ['cicd', 'sql', 'scikit-learn', 'experimentation']],
    ['React Native and React, Spring Boot', ['react-native', 'react', 'spring']],
    ['machine\nlearning on Amazon Web Services', ['machine-learning', 'aws']],
    ['Objective-C, Swift', ['objective-c', 'swift']],
    ["TypeScript's types, Kafka-based queues", ['typescript', 'kafka']],
    ['registered nurse with electronic health records', ['patient-care', 'health-records']],
  ])('reads %j', (text, skills) => {
    expect(findSkills(text)).toEqual(skills);
  });

  it.each([
    ['go developer', ['go']],
    ['Services written in Go.', ['go']],
    ['Go, Rust, and Python', ['go', 'rust', 'python']],
    ['Python, R and SQL', ['python', 'r', 'sql']],
    ['R programming', ['r']],
    ['Go-based services', ['go']],
    ['languages: C, C++', ['c', 'cpp']],
    ['We ask for\n- Go\n- Rust\n- Python', ['go', 'rust', 'python']],
    ['Rust code', ['rust']],
    ['We use React daily', ['react']],
    ['react and node.js', ['react', 'nodejs']],
    ['Go', ['go']],
    ['r', ['r']],
    ['a REST service', ['rest']],
    ['ML and LLMs', ['machine-learning', 'llm']],
  ])('accepts an everyday word in technical surroundings: %j', (text, skills) => {
    expect(findSkills(text)).toEqual(skills);
  });

  it.each([
    'We go to the office',
    'Go to our site. R&D is in Bonn, C-level support',
    'ready to go beyond, go live and go far',
    'a letter r in any text, plan c, Vitamin C and Series C funding',
    'react quickly to the rest of the team and express interest',
    'Express interest. Excel in what you do. Swift responses.',
    'Spring cleaning in spring 2026; node of a tree; 5 ml of water',
    'experience with go to',
    'rusty javanese scalable pythonic',
    '',
    '   \n\t',
    '🙂 \ud800 \u0000',
  ])('finds nothing in %j', (text) => {
    expect(findSkills(text).filter((id) => id !== 'marketing')).toEqual([]);
  });

  it('reads "go to market" as marketing, not as Go', () => {
    expect(findSkills('Own our go to market with Python')).toEqual(['marketing', 'python']);
    expect(findSkills('Go-to-market, Python')).toEqual(['marketing', 'python']);
  });

  it.each<[string, string[]]>([
    ['React Native apps', ['react-native']],
    ['- We use React\n- Native apps', ['react']],
    ['JavaScript, Java Script and JS', ['javascript']],
    ['Java for the server, Script writing', ['java']],
    ['C ++, C # and C', ['cpp', 'csharp', 'c']],
    ['chapter C #5', []],
    ['C++ only', ['cpp']],
    ['R&D, Toys R Us, Mr. R. Smith', []],
    ['AWS, GCP and Azure', ['aws', 'gcp', 'azure']],
    ['GMP, GLP and GCP', ['gmp', 'clinical-research']],
    ['SWIFT and SEPA payments', ['payments']],
    ['We use Swift for payments', ['swift', 'payments']],
    ['American Express needs Python', ['python']],
    ['We go far, and Python helps', ['python']],
    ['as they react, Node.js listens', ['nodejs']],
    ['migrating from Java to Go, Rust and Python', ['java', 'go', 'rust', 'python']],
    ['Cisco IOS on routers', ['cisco']],
    ['shipping containers by sea', []],
    ['Docker, containers and Kubernetes', ['docker', 'kubernetes']],
    ['patient monitoring on the ward', []],
    ['Grafana, monitoring', ['grafana', 'observability']],
    ['Barclays PLC in London', []],
    ['PLC, SCADA', ['plc', 'scada']],
    ['Oracle is an employer', []],
    ['experience with Oracle', ['oracle-db']],
    ['20 °C, Python', ['python']],
    ['Transmission electron microscopy', []],
    ['Rust prevention and We use Rust', ['rust']],
  ])('tells false friends apart: %j', (text, skills) => {
    expect(findSkills(text)).toEqual(skills);
  });

  it.each<[string, string[]]>([
    ['Fluent German, English (C1), written French', ['german', 'english', 'french']],
    ['German-speaking customers', ['german']],
    ['languages: Polish, Czech', ['polish', 'czech']],
    ['polish your skills with French press coffee and Danish design', []],
  ])('reads spoken languages, no cuisine and no verb: %j', (text, skills) => {
    expect(findSkills(text)).toEqual(skills);
  });

  it.each<[string, string[]]>([
    ['Java\u200bScript and Type\u00adScript', ['javascript', 'typescript']],
    ['Air\ufb02ow, Cloud\ufb02are Workers', ['airflow', 'cloudflare-workers']],
    ['\uff2a\uff41\uff56\uff41, \uff23\uff0b\uff0b', ['java', 'cpp']],
    ['end\u2011to\u2011end testing', ['e2e-testing']],
    ['ISO27001 and SOC2, ISO 9001', ['security-standards', 'quality-management']],
    ['data warehouses and smart grids', ['data-warehouse', 'power-systems']],
  ])('reads what PDFs and editors make of it: %j', (text, skills) => {
    expect(findSkills(text)).toEqual(skills);
  });

  it('finds every way to write every skill, as the same one, beside others', () => {
    for (const { id, aliases } of SKILLS) {
      for (const { text, mark } of aliases) {
        const written = mark === 'caps' || text.length === 1 ? text.toUpperCase() : text;
        expect(new Set(findSkills(`Skills: TypeScript, ${written}, Docker.`)), text).toEqual(
          new Set(['typescript', id, 'docker']),
        );
      }
    }
  });

  it('counts mentions', () => {
    expect([...countSkills('SQL, sql and Python')]).toEqual([
      ['sql', 2],
      ['python', 1],
    ]);
  });

  it.each(['a', '.', 'go, ', 'a.', ' ', 'Node.js and React, ', "x'", '+#'])(
    'its time grows with the text, not with its square: %j',
    (piece) => {
      expect(growth(findSkills, piece.repeat(2000 / piece.length))).toBeLessThan(40);
    },
  );

  it('never throws and names only known skills', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(findSkills(text).every(isKnownSkill)).toBe(true);
      }),
    );
  });
});

describe('toSkillId', () => {
  it.each([
    ['R', 'r'],
    ['C', 'c'],
    ['react', 'react'],
    ['Next.js', 'nextjs'],
    ['SAP', 'erp'],
    ['Some Unknown Thing 9', 'some-unknown-thing-9'],
    ['[x]', 'x'],
    ['***', ''],
    ['数据', '数据'],
  ])('%j is %j', (name, id) => {
    expect(toSkillId(name)).toBe(id);
  });
});

describe('toSkillIds', () => {
  it.each<[string, string[]]>([
    ['JavaScript (ES6+)', ['javascript']],
    ['React / Redux', ['react', 'redux']],
    ['AWS (EC2, S3)', ['aws']],
    ['Go 1.22', ['go']],
    ['Angular 2+', ['angular']],
    ['Node.js & Express', ['nodejs', 'express']],
    ['Python/R', ['python', 'r']],
    ['A/B testing', ['experimentation']],
    ['Portuguese (Brazil)', ['portuguese']],
    ['R&D', ['r-d']],
    ['A/R', ['a-r']],
    ['Own Thing!', ['own-thing']],
    ['***', []],
  ])('%j names %j', (label, ids) => {
    expect(toSkillIds(label)).toEqual(ids);
  });

  it('never throws, whatever the label', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (label) => {
        expect(toSkillIds(label).every((id) => id !== '')).toBe(true);
      }),
    );
  });
});

describe('the taxonomy', () => {
  it('holds 150 skills or more, ids and names once each', () => {
    expect(SKILLS.length).toBeGreaterThanOrEqual(150);
    expect(new Set(SKILLS.map((skill) => skill.id)).size).toBe(SKILLS.length);
    expect(new Set(SKILLS.map((skill) => skill.name)).size).toBe(SKILLS.length);
  });

  it('gives each alias to one skill, and each name leads to its own id', () => {
    const owner = new Map<string, string>();
    for (const skill of SKILLS) {
      for (const alias of skill.aliases) {
        expect(owner.get(alias.text) ?? skill.id, alias.text).toBe(skill.id);
        owner.set(alias.text, skill.id);
      }
      expect(toSkillId(skill.name)).toBe(skill.id);
      expect(skillName(skill.id)).toBe(skill.name);
      expect(skillCategory(skill.id)).toBe(skill.category);
      expect(skill.id).toMatch(/^[a-z0-9-]+$/);
    }
  });

  it('relates known skills only', () => {
    const related = [...FAMILIES.flat(), ...Object.keys(IMPLIES), ...Object.values(IMPLIES).flat()];
    expect(related.filter((id) => !isKnownSkill(id))).toEqual([]);
  });
});
