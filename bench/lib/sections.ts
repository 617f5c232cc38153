import type { Section } from './section.ts';

/** Every section, in the order in which they run. Each is loaded when it is its turn: what one needs does not slow down another. */
export const sections: Readonly<Record<string, () => Promise<{ readonly section: Section }>>> = {
  'script-level': () => import('../script-level/section.ts'),
  mechanisms: () => import('../mechanisms/section.ts'),
  system: () => import('../system/section.ts'),
  'cold-start': () => import('../cold-start/section.ts'),
  shards: () => import('../shards/section.ts'),
  growth: () => import('../growth/section.ts'),
};
