import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { groups } from './groups.ts';
import { sourcesOf } from './mutate.ts';
import { readOptions, WrongOption } from './options.ts';
import { figuresOf, type Mutant, needless, scorePercentMin, unexplained } from './report.ts';
import { testFilesOf } from './runner.ts';
import { type Tolerated, tolerated } from './tolerated.ts';

const squeezed = (text: string) => text.replace(/\s+/g, ' ');

describe('what is mutated', () => {
  it('is every rule, wrapper and repository, and the ledger, each in one group, also one that is made tomorrow', () => {
    const kinds = globSync([
      'functions/**/*.{model,repository,writes,scripts,definitions}.ts',
      'functions/accounts/{account.*,*-account}.ts',
    ]);
    const others = ['functions/shared/script.ts', 'functions/stock/sale-copy.ts', 'functions/stock/stock.records.ts'];
    const sources = Object.values(groups).flatMap(sourcesOf);
    expect(new Set(sources).size).toBe(sources.length);
    expect([...kinds, ...others].filter((path) => !sources.includes(path))).toEqual([]);
  });

  it('is held against tests that there are', () => {
    for (const group of Object.values(groups)) expect(testFilesOf(group).length).toBeGreaterThan(0);
  });
});

describe('what may survive', () => {
  it('stands in a source that is mutated, as it is said, with a reason', () => {
    const sources = Object.values(groups).flatMap(sourcesOf);
    const stale = tolerated.filter(({ file, original }) => {
      const files = globSync(file).filter((path) => sources.includes(path));
      return !files.some((path) => squeezed(readFileSync(path, 'utf8')).includes(squeezed(original)));
    });
    expect(stale).toEqual([]);
    expect(tolerated.filter(({ reason }) => reason.length < 20)).toEqual([]);
  });
});

describe('the figures of a run', () => {
  const mutant = (status: string, changes: Partial<Mutant> = {}): Mutant => ({
    group: 'rules',
    file: 'functions/a.model.ts',
    line: 1,
    mutator: 'StringLiteral',
    original: "'a'",
    replacement: '""',
    status,
    ...changes,
  });
  const entry: Tolerated = { file: 'functions/*.model.ts', mutator: 'StringLiteral', original: "'a'", reason: 'a test' };

  it('count a mutant that made a test wait as found, one without a test as not, and leave wording out', () => {
    const figures = figuresOf(
      ['Killed', 'Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'].map((status) => mutant(status)),
      [],
    );
    expect(figures).toEqual({
      mutants: 5,
      killed: 2,
      timedOut: 1,
      survived: 1,
      noCoverage: 1,
      leftOut: 1,
      tolerated: 0,
      errors: 0,
      scorePercent: 60,
    });
    expect(figuresOf([mutant('RuntimeError')], []).errors).toBe(1);
  });

  it('call a survivor unexplained unless an entry is about its file, mutator and text', () => {
    const others = [{ file: 'functions/b.ts' }, { mutator: 'Regex' }, { original: "'b'" }].map((changes) => mutant('Survived', changes));
    const survivors = [mutant('Survived'), mutant('NoCoverage'), ...others];
    expect(unexplained(survivors, [entry])).toEqual(others);
    expect(unexplained([mutant('Survived')], [{ ...entry, replacement: '"b"' }])).toHaveLength(1);
    // What is tolerated makes the score no better.
    expect(figuresOf(survivors, [entry])).toMatchObject({ tolerated: 2, scorePercent: 0 });
  });

  it('name the entries that are not needed any more', () => {
    expect(needless([mutant('Survived')], [entry])).toEqual([]);
    expect(needless([mutant('Killed')], [entry])).toEqual([entry]);
    expect(needless([mutant('Killed', { file: 'functions/b.ts' })], [entry])).toEqual([]);
  });
});

describe('npm run mutation', () => {
  it('takes the options that it says, and no other', () => {
    expect(readOptions(['--help'])).toBeUndefined();
    expect(readOptions(['--group', 'ledger', '--again', '--concurrency', '1', '--json', 'x'])).toEqual({
      groups: ['ledger'],
      files: [],
      again: true,
      concurrency: 1,
      json: 'x',
    });
    for (const wrong of [['--group', 'else'], ['--concurrency', '0'], ['--concurrency', 'x'], ['--else'], ['else']])
      expect(() => readOptions(wrong)).toThrow(WrongOption);
  });

  it('finds the faults of a rule that decides whose a unit is', { timeout: 300_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stampede-mutation-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const json = join(directory, 'figures.json');
    const args = ['test/mutation/mutation.ts', '--group', 'rules', '--files', 'functions/orders/collision.model.ts', '--concurrency', '1'];
    await promisify(execFile)(process.execPath, [...args, '--json', json], { timeout: 280_000 });
    const figures = JSON.parse(readFileSync(json, 'utf8')) as { scorePercent: number; mutants: number };
    expect(figures.mutants).toBeGreaterThan(20);
    expect(figures.scorePercent).toBeGreaterThanOrEqual(scorePercentMin);
  });
});
