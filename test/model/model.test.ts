import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readExploration, rulesOf } from './pan.ts';
import { shownBy, variants } from './runs.ts';

const directory = dirname(fileURLToPath(import.meta.url));
const source = (model: string) => readFile(join(directory, `${model}.pml`), 'utf8');

const printed = ({ errors = 0, states = '20175', before = '', after = '' }) => `${before}
(Spin Version 6.5.2 -- 6 December 2019)
${after}	+ Partial Order Reduction
Full statespace search for:
	assertion violations	+
State-vector 80 byte, depth reached 84, errors: ${errors}
    ${states} states, stored
    36100 states, matched
    56275 transitions (= stored+matched)
`;

describe('What a verifier printed', () => {
  it('is a complete search only when nothing stood in its way', () => {
    const found = readExploration(printed({}));
    expect(found).toEqual({ outcome: 'complete', errors: 0, states: 20_175, transitions: 56_275, depth: 84, detail: '' });
    expect(readExploration(printed({ states: '1.2345e+08' }))).toMatchObject({ outcome: 'complete', states: 123_450_000 });
  });

  it('is no complete search when it ran into a bound', () => {
    const cut = 'Warning: Search not completed\n';
    expect(readExploration(printed({ before: 'error: max search depth too small' }))).toMatchObject({ outcome: 'limited' });
    expect(readExploration(printed({ before: 'pan: reached -DMEMLIM bound', after: cut }))).toMatchObject({ outcome: 'limited' });
    expect(readExploration(printed({ after: cut }))).toMatchObject({ outcome: 'limited' });
    expect(readExploration(printed({}).replace('Full statespace', 'Bit statespace'))).toMatchObject({ outcome: 'limited' });
  });

  it('is no complete search when it broke off or printed nothing', () => {
    expect(readExploration('')).toMatchObject({ outcome: 'limited' });
    expect(readExploration('Depth=     173 States=    1e+06 Transitions= 1.89e+06 Memory=   177.011')).toMatchObject({
      outcome: 'limited',
    });
  });

  it('is an error with what was violated, also when the search stopped there', () => {
    const text = printed({
      errors: 1,
      before: 'pan:1: assertion violated (row[u]==0) (at depth 94)',
      after: 'Warning: Search not completed\n',
    });
    expect(readExploration(text)).toMatchObject({ outcome: 'error', errors: 1, detail: 'assertion violated (row[u]==0) (at depth 94)' });
  });
});

describe('The models', () => {
  it('are all explored', async () => {
    const files = (await readdir(directory)).filter((file) => file.endsWith('.pml')).map((file) => file.slice(0, -'.pml'.length));
    expect([...new Set(variants.filter(({ large }) => !large).map(({ model }) => model))].sort()).toEqual(files.sort());
  });

  it('have rules, each of which can be left out', async () => {
    for (const model of new Set(variants.map((variant) => variant.model))) {
      const text = await source(model);
      const rules = rulesOf(text).map(({ name }) => name);
      expect(rules.length, model).toBeGreaterThan(2);
      for (const rule of rules) expect(text.match(new RegExp(`\\b${rule}\\b`, 'g'))?.length, `${model} uses ${rule}`).toBeGreaterThan(2);
      for (const rule of Object.keys(shownBy[model] ?? {})) expect(rules, model).toContain(rule);
    }
  });

  it('know whatever they are explored with', async () => {
    const shown = Object.entries(shownBy).flatMap(([model, rules]) => Object.values(rules).map((defines) => ({ model, defines })));
    for (const { model, defines } of [...variants, ...shown]) {
      const text = await source(model);
      for (const name of Object.keys(defines)) expect(text, model).toMatch(new RegExp(`^#ifndef ${name}$`, 'm'));
    }
  });
});
