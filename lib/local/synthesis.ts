import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { CannotStart, startChild } from './child.ts';
import { type Stack, Template } from './intrinsics.ts';

/** What a synthesis wrote: the templates, and where the code of functions lies. */
export interface CloudAssembly {
  readonly stacks: readonly Stack[];
  /** The directory with a function's code, by the S3 key that its template names. */
  readonly codeDirectory: (stackName: string, s3Key: string) => string | undefined;
}

const projectDirectory = fileURLToPath(new URL('../../', import.meta.url));
const synthesisMsMax = 120_000;
const outputLinesMax = 200;

/**
 * Synthesises the CDK app of cdk.json into `outputDirectory`, in a process of its own: the CDK takes memory that a runtime has better uses
 * for. `scratch` goes when this process is killed meanwhile. `variables` are set for the app besides this process' own. Throws `CannotStart`
 * with the app's own words when it fails, and the signal's reason, with the process gone, when it is given up.
 */
export async function synthesise(
  outputDirectory: string,
  scratch: readonly string[],
  signal: AbortSignal,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { app } = z.object({ app: z.string() }).parse(JSON.parse(await readFile(join(projectDirectory, 'cdk.json'), 'utf8')));
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const lines: string[] = [];
  const child = await startChild({
    command: '/bin/sh',
    args: ['-c', `exec ${app}`],
    cwd: projectDirectory,
    // Whatever it writes on the side goes with the rest.
    env: { ...process.env, ...variables, PATH: path, CDK_OUTDIR: outputDirectory, TMPDIR: dirname(outputDirectory) },
    scratch,
    onLine: (line) => {
      if (lines.push(line) > outputLinesMax) lines.shift();
    },
  });
  const tooLate = setTimeout(() => void child.stop(), synthesisMsMax);
  const giveUp = () => void child.stop();
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  const end = await child.ended;
  signal.removeEventListener('abort', giveUp);
  clearTimeout(tooLate);
  signal.throwIfAborted();
  if (end !== 'ended with code 0') throw new CannotStart(`The CDK app could not be synthesised (${end}):\n${lines.join('\n')}`);
}

const Manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.looseObject({ type: z.string(), properties: z.looseObject({ templateFile: z.string().optional() }).optional() }),
  ),
});
const Assets = z.object({
  files: z.record(
    z.string(),
    z.looseObject({
      source: z.looseObject({ path: z.string().optional(), packaging: z.string().optional() }),
      destinations: z.record(z.string(), z.looseObject({ objectKey: z.string() })),
    }),
  ),
});

/** Reads a synthesised assembly (`cdk.out`). */
export async function readAssembly(directory: string): Promise<CloudAssembly> {
  const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(directory, name), 'utf8'));
  const manifest = Manifest.parse(await readJson('manifest.json'));
  const stacks: Stack[] = [];
  const directories = new Map<string, string>();
  for (const [name, { type, properties }] of Object.entries(manifest.artifacts)) {
    if (type !== 'aws:cloudformation:stack' || !properties?.templateFile) continue;
    stacks.push({ name, template: Template.parse(await readJson(properties.templateFile)) });
    const assets = Assets.parse(await readJson(`${name}.assets.json`));
    for (const { source, destinations } of Object.values(assets.files)) {
      if (source.packaging !== 'zip' || source.path === undefined) continue;
      // Templates made by a program do not say which directory a function's code is from: the name in the bucket is what both sides know.
      for (const { objectKey } of Object.values(destinations)) directories.set(`${name} ${objectKey}`, resolve(directory, source.path));
    }
  }
  return { stacks, codeDirectory: (stackName, s3Key) => directories.get(`${stackName} ${s3Key}`) };
}
