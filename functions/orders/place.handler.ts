import { httpHandler } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { placeEndpoints } from './place.endpoints.ts';
import { placePorts } from './place.wiring.ts';

/** The reserve function: the hot path, alone, so that it starts lean and scales by itself. */
export const handler = httpHandler(placeEndpoints(placePorts), async () => {
  throw new Problem('NOT_FOUND', 'There is no such resource.');
});

// While the module is loaded the processor is all ours, and the first buyer is not waiting yet. What fails here is tried again by whoever asks first.
placePorts().catch(() => {});
