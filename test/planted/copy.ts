import { spawnSync } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guardDirectories } from '../../lib/local/child.ts';
import { type Bug, planted } from './bug.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** The tree can't be copied: the message says what to do. */
export class CannotCopy extends Error {
  override readonly name = 'CannotCopy';
}

/** A copy of the tree in a directory of its own, in which a bug may be planted. */
export interface Copy {
  readonly directory: string;
  /** Runs `work` with the bug in the copy, and puts the files back as they were, however that ends. Throws `PatchDoesNotApply`. */
  with<T>(bug: Bug, work: (texts: ReadonlyMap<string, string>) => Promise<T>): Promise<T>;
  remove(): void;
}

/** What Git knows or would take up: neither what is installed nor what is built. */
function filesOfTree(): string[] {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: project,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new CannotCopy('The files of the tree come from Git: install it, and run this in a clone.');
  return stdout.split('\0').filter(Boolean);
}

/** Somebody may have removed it since it was listed. */
const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** Tools keep what they have transformed beside the packages, under names like these. A copy must not see what another one left there. */
const isCache = (name: string): boolean => /^\.(vite|vitest|cache)/.test(name);

/** The packages of this project in a directory of the copy's own, each by a link. */
function linkPackages(directory: string): void {
  const [from, to] = [join(project, 'node_modules'), join(directory, 'node_modules')];
  mkdirSync(to);
  for (const name of readdirSync(from).filter((each) => !isCache(each))) symlinkSync(join(from, name), join(to, name));
}

/** Copies the tree as it is now. The copy goes with this process, also when that is killed. */
export function copyTree(): Copy {
  const files = filesOfTree();
  const directory = mkdtempSync(join(tmpdir(), 'stampede-planted-'));
  const unguard = guardDirectories([directory]);
  const remove = () => {
    rmSync(directory, { recursive: true, force: true });
    unguard();
  };
  try {
    for (const file of files) {
      if (!isFile(join(project, file))) continue;
      mkdirSync(join(directory, dirname(file)), { recursive: true });
      copyFileSync(join(project, file), join(directory, file));
    }
    linkPackages(directory);
  } catch (error) {
    remove();
    throw error;
  }

  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  return {
    directory,
    remove,
    async with(bug, work) {
      const texts = planted(bug, read);
      const before = [...texts.keys()].map((file) => [file, read(file)] as const);
      try {
        for (const [file, text] of texts) writeFileSync(join(directory, file), text);
        return await work(texts);
      } finally {
        for (const [file, text] of before) writeFileSync(join(directory, file), text);
      }
    },
  };
}

/** A file of this tree, as it is now. */
export const readSource = (file: string): string => readFileSync(join(project, file), 'utf8');
