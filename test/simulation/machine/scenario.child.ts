import { bundleHandlers, startRedisServer } from './machine.ts';
import { crowdedSale } from './scenario.ts';

// What the scenario comes to in a process of its own: `node scenario.child.ts SEED` prints the hash.

const seed = Number(process.argv[2]);
const { hash } = await crowdedSale({ seed, bundles: bundleHandlers(), redis: startRedisServer() });
process.stdout.write(hash);
