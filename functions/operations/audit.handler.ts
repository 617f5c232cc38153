import { httpHandler } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { auditEndpoints } from './audit.endpoints.ts';
import { auditPorts } from './audit.wiring.ts';

/** The audit function: alone, because an audit of a large sale keeps a core busy for its whole time. */
export const handler = httpHandler(auditEndpoints(auditPorts), async () => {
  throw new Problem('NOT_FOUND', 'There is no such resource.');
});
