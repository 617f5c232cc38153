import { main } from './scale/main.ts';

// `npm run scale`: what a load takes that fits on no machine of ours, from what was measured on one.

process.exitCode = await main(process.argv.slice(2));
