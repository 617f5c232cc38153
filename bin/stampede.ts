import { buildApp } from '../lib/app.ts';

// The CDK command line reads the assembly that this writes: `npm run synth`, `npx cdk deploy --all`.
buildApp().synth();
