import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Synthesised, synthesised } from './synthesised.ts';

let first: Synthesised;
let second: Synthesised;
beforeAll(() => {
  first = synthesised({ validated: true });
  second = synthesised();
});
afterAll(() => {
  first?.remove();
  second?.remove();
});

describe('the templates', () => {
  it('pass CloudFormation’s checks without an error or a warning', () => {
    const reportIn = (directory: string) => join(directory, 'validation-report.json');
    const report = JSON.parse(readFileSync(reportIn(first.directory), 'utf8'));
    expect(report.pluginReports).toEqual([]);
    // The report is there because the checks ran, and only then.
    expect(existsSync(reportIn(second.directory))).toBe(false);
  });

  it('are the same, code and all, wherever they are written: nothing is deployed anew without a change', () => {
    expect(second.application.toJSON()).toEqual(first.application.toJSON());
    expect(second.network.toJSON()).toEqual(first.network.toJSON());
  });

  it('name no account and no region', () => {
    for (const template of [first.application, first.network])
      expect(JSON.stringify(template.toJSON())).not.toMatch(/[a-z]{2}-[a-z]+-\d\b|\b\d{12}\b/);
  });

  it('bring no function but ours: nothing that runs with rights of its own', () => {
    const types = [...new Set(Object.values<{ Type: string }>(first.application.toJSON().Resources).map(({ Type }) => Type))];
    expect(types.filter((type) => /^(Custom::|AWS::CloudFormation::CustomResource)/.test(type))).toEqual([]);
    for (const { path, properties } of first.of('AWS::Lambda::Function')) expect(properties.Description?.length, path).toBeGreaterThan(5);
  });
});
