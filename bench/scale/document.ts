import type { Blocks } from './report.ts';

/** The document lacks a block, or has one that nobody computes. */
export class BlockMissing extends Error {
  override readonly name = 'BlockMissing';
}

const begin = (name: string) => `<!-- computed: ${name} -->`;
const end = '<!-- end -->';

/** The document with its computed blocks as they are now. What stands outside the blocks stays as it is. */
export function withBlocks(document: string, blocks: Blocks): string {
  let text = document;
  for (const [name, block] of Object.entries(blocks)) {
    const start = text.indexOf(begin(name));
    const stop = text.indexOf(end, start);
    if (start < 0 || stop < 0) throw new BlockMissing(`docs/scale.md has no block "${begin(name)} … ${end}".`);
    text = `${text.slice(0, start + begin(name).length)}\n${block}\n${text.slice(stop)}`;
  }
  return text;
}
