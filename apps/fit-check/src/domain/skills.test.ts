import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { countSkills, findSkills, isKnownSkill, skillCategory, skillName, toSkillId } from './skills.ts';
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
